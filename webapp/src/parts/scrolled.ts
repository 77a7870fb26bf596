/** How large a scrolled element is, and how far it is scrolled. */

import { useSignal, type Signal } from "@preact/signals";
import { useEffect, useRef, type MutableRef } from "preact/hooks";

export interface Scrolled<Kind extends HTMLElement = HTMLDivElement> {
  element: MutableRef<Kind | null>;
  top: Signal<number>;
  width: Signal<number>;
  height: Signal<number>;
  onScroll: () => void;
}

export function useScrolled<Kind extends HTMLElement = HTMLDivElement>(): Scrolled<Kind> {
  const element = useRef<Kind>(null);
  const top = useSignal(0);
  const width = useSignal(0);
  const height = useSignal(0);
  useEffect(() => {
    const measure = () => {
      width.value = element.current!.clientWidth;
      height.value = element.current!.clientHeight;
    };
    measure();
    const sized = new ResizeObserver(measure);
    sized.observe(element.current!);
    return () => sized.disconnect();
  }, []);
  return { element, top, width, height, onScroll: () => (top.value = element.current!.scrollTop) };
}
