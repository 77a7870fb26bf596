/** The title of a panel beside the map. It takes the focus when the panel opens or shows another thing, and gives it back. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

const QUIETLY = { preventScroll: true } as const;

const isNowhere = () => document.activeElement === document.body;

/** `of`: what the panel is about; another one takes the focus again. */
export function PanelTitle({ of, hint, children }: { of: unknown; hint?: string; children: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const opener = document.activeElement as HTMLElement | null;
    return () => requestAnimationFrame(() => isNowhere() && opener?.isConnected && opener.focus(QUIETLY));
  }, []);
  useEffect(() => heading.current?.focus(QUIETLY), [of]);
  return (
    <h2 tabIndex={-1} ref={heading} title={hint}>
      {children}
    </h2>
  );
}
