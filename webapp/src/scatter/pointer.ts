/** What the hand does on the element, as gestures: drag, wheel, pinch, click, hover, and a path that is being drawn. */
import type { Mode } from "./scatter";

export interface Gestures {
  mode(): Mode;
  panned(dx: number, dy: number): void;
  zoomed(x: number, y: number, factor: number): void;
  clicked(x: number, y: number, add: boolean): void;
  hovered(x: number, y: number): void;
  left(): void;
  /** The path so far in pixels, x and y by turns; a box has four corners. */
  drawing(path: number[]): void;
  drawn(path: number[], add: boolean): void;
  dropped(): void;
}

const CLICK_PX = 4;
const STEP_PX = 3;

interface Place {
  x: number;
  y: number;
}

type Doing = "nothing" | "press" | "pan" | "lasso" | "box" | "pinch";

/** Listens on the element; the answer stops that. */
export function listen(element: HTMLElement, gestures: Gestures): () => void {
  const fingers = new Map<number, Place>();
  let doing: Doing = "nothing";
  let shape: Mode = "pan";
  let from: Place = { x: 0, y: 0 };
  let path: number[] = [];
  const stop = new AbortController();
  const on = <Name extends keyof HTMLElementEventMap>(name: Name, act: (event: HTMLElementEventMap[Name]) => void) =>
    element.addEventListener(name, act, { signal: stop.signal, passive: false });

  const place = (event: MouseEvent): Place => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  const start = (at: Place) => {
    doing = shape;
    gestures.left();
    path = [from.x, from.y];
    if (doing !== "pan") return;
    element.style.cursor = "grabbing";
    gestures.panned(at.x - from.x, at.y - from.y);
    from = at;
  };

  const draw = (at: Place) => {
    if (doing === "box") path = [from.x, from.y, at.x, from.y, at.x, at.y, from.x, at.y];
    else if (Math.hypot(at.x - path[path.length - 2], at.y - path[path.length - 1]) >= STEP_PX) path.push(at.x, at.y);
    gestures.drawing(path);
  };

  const pinch = (id: number, at: Place) => {
    const other = [...fingers].find(([finger]) => finger !== id)?.[1];
    const was = fingers.get(id);
    if (!other || !was) return;
    const [x, y] = [(at.x + other.x) / 2, (at.y + other.y) / 2];
    gestures.panned((at.x - was.x) / 2, (at.y - was.y) / 2);
    const [wide, before] = [at, was].map((finger) => Math.max(8, Math.hypot(finger.x - other.x, finger.y - other.y)));
    gestures.zoomed(x, y, wide / before);
  };

  const drop = () => {
    if (doing === "lasso" || doing === "box") gestures.dropped();
    doing = "nothing";
    element.style.cursor = "";
  };

  on("pointerdown", (event) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, place(event));
    if (fingers.size > 1) {
      drop();
      doing = "pinch";
      return;
    }
    from = place(event);
    doing = "press";
    shape = event.shiftKey ? "lasso" : gestures.mode();
  });

  on("pointermove", (event) => {
    const at = place(event);
    if (doing === "nothing" && event.pointerType !== "touch") gestures.hovered(at.x, at.y);
    else if (doing === "pinch") pinch(event.pointerId, at);
    else if (doing === "press" && Math.hypot(at.x - from.x, at.y - from.y) > CLICK_PX) start(at);
    else if (doing === "pan") {
      gestures.panned(at.x - from.x, at.y - from.y);
      from = at;
    }
    if (doing === "lasso" || doing === "box") draw(at);
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, at);
  });

  const up = (event: PointerEvent, kept: boolean) => {
    if (!fingers.delete(event.pointerId)) return;
    const add = event.ctrlKey || event.metaKey || event.altKey;
    if (kept && doing === "press") gestures.clicked(from.x, from.y, add);
    if (kept && (doing === "lasso" || doing === "box")) gestures.drawn(path, add);
    if (fingers.size === 0) drop();
  };
  on("pointerup", (event) => up(event, true));
  on("pointercancel", (event) => up(event, false));
  on("pointerleave", () => doing === "nothing" && gestures.left());
  on("wheel", (event) => {
    event.preventDefault();
    const { x, y } = place(event);
    const lines = event.deltaMode === 1 ? 24 : event.deltaMode === 2 ? 400 : 1;
    const turn = Math.min(240, Math.max(-240, event.deltaY * lines));
    gestures.zoomed(x, y, Math.exp(-turn * (event.ctrlKey ? 0.01 : 0.0025)));
  });
  on("dblclick", (event) => gestures.zoomed(place(event).x, place(event).y, event.altKey ? 0.5 : 2));
  const escape = (event: KeyboardEvent) => event.key === "Escape" && drop();
  window.addEventListener("keydown", escape, { signal: stop.signal });
  return () => stop.abort();
}
