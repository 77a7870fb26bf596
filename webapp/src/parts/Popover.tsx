/** A button that opens a small window below it; Escape, a click elsewhere or leaving it closes it. */

import { useSignal, type Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface PopoverProps {
  label: ComponentChildren;
  /** What the window is called, and the button too where its label is only a sign. */
  name: string;
  isNamed?: boolean;
  kind?: string;
  /** On which side of the button it hangs. */
  align?: "left" | "right";
  shortcut?: string;
  children: (close: () => void) => ComponentChildren;
}

export function Popover({
  label,
  name,
  isNamed = false,
  kind = "button",
  align = "left",
  shortcut,
  children,
}: PopoverProps) {
  const open = useSignal(false);
  const root = useRef<HTMLDivElement>(null);
  const close = () => closeAndReturn(open, root.current);
  useClosing(open, root);
  return (
    <div class="popover" ref={root}>
      <button
        class={kind}
        aria-label={isNamed ? undefined : name}
        aria-haspopup="dialog"
        aria-expanded={open.value}
        data-shortcut={shortcut}
        onClick={() => (open.value = !open.value)}
      >
        {label}
      </button>
      {open.value && (
        <div class={`sheet ${align}`} role="dialog" aria-label={name} ref={keepInside}>
          {children(close)}
        </div>
      )}
    </div>
  );
}

function closeAndReturn(open: Signal<boolean>, root: HTMLElement | null): void {
  open.value = false;
  root?.querySelector("button")?.focus();
}

function useClosing(open: Signal<boolean>, root: { current: HTMLElement | null }): void {
  useEffect(() => {
    if (!open.value) return;
    const outside = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) open.value = false;
    };
    const escape = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      closeAndReturn(open, root.current);
    };
    const element = root.current!;
    document.addEventListener("pointerdown", outside, true);
    document.addEventListener("focusin", outside);
    element.addEventListener("keydown", escape);
    return () => {
      document.removeEventListener("pointerdown", outside, true);
      document.removeEventListener("focusin", outside);
      element.removeEventListener("keydown", escape);
    };
  }, [open.value]);
}

/** Move a window that would leave the page back into it, and the focus into the window. */
function keepInside(sheet: HTMLElement | null): void {
  if (!sheet || sheet.dataset.placed) return;
  sheet.dataset.placed = "yes";
  const { left, right, top } = sheet.getBoundingClientRect();
  const over = Math.max(0, right - (document.documentElement.clientWidth - 8)) || Math.min(0, left - 8);
  if (over) sheet.style.translate = `${-over}px 0`;
  sheet.style.maxHeight = `${Math.max(160, window.innerHeight - top - 12)}px`;
  sheet.querySelector<HTMLElement>("input, button, [tabindex]")?.focus({ preventScroll: true });
}
