/**
 * The map: points that can be looked at, moved about, picked and lassoed.
 *
 * createScatter gives a Scatter; what it shows is set by setPoints, setColors, setVisible, setSelected; what the reader
 * does with it comes back through `on`. Places on the map are on the payload's scale: 0 to 65534, y upwards.
 */
import { chooseRenderer, type Kind } from "./choose";
import { openDots } from "./opendots";
import { Stage } from "./stage";

export { chooseRenderer, type Kind };

export interface Theme {
  /** Behind the dots, a CSS hex colour: "#rgb" or "#rrggbb". */
  background: string;
  /** Rings, lasso and marker, a CSS hex colour that stands out from the background. */
  ink: string;
}

export interface ScatterOptions extends Theme {
  /** Without it: what chooseRenderer says. */
  renderer?: Kind;
}

export interface View {
  /** The place in the middle of the element, on the map's scale. */
  x: number;
  y: number;
  /** 1: the whole scale just fits. */
  zoom: number;
}

export type Mode = "pan" | "lasso" | "box";

export interface Events {
  /** A click; `row` is null where no point is near. `add`: with Ctrl, Alt or Cmd held. */
  point: { row: number | null; add: boolean };
  /** The pointer over another point, or none (null); x and y in CSS pixels of the element. */
  hover: { row: number | null; x: number; y: number };
  /** A lasso or box was closed: the visible points in it, ascending. `add`: with Ctrl, Alt or Cmd held. */
  lasso: { rows: Uint32Array; add: boolean };
  /** The view has moved; at most once a frame. */
  view: View;
}

/** Draws example `row`, size × size CSS pixels with its upper left corner at (x, y); false: not loaded yet. */
export type DrawPicture = (context: CanvasRenderingContext2D, row: number, x: number, y: number, size: number) => boolean;

export interface Scatter {
  readonly kind: Kind;
  /** Fills its parent, follows its size and the devicePixelRatio. */
  readonly element: HTMLElement;
  /**
   * Where each point is: 2N numbers, x and y by turns, 0 to 65534; 65535 twice: not on the map. Points go there from
   * where they are in `morph_ms` (0, the default: at once; at once too where the reader prefers reduced motion).
   * Resolves when they are there, or when the next setPoints sends them elsewhere.
   */
  setPoints(xy: Uint16Array, options?: { morph_ms?: number }): Promise<void>;
  /** Per point its place in the palette of CSS hex colours; places past its end are grey. */
  setColors(place: Uint8Array | Uint16Array, palette: string[]): void;
  /** 1: shown, 0: not drawn and not picked. null: all are shown. */
  setVisible(mask: Uint8Array | null): void;
  /** 1: stands out; the others fade. null, or a mask of zeros: nothing is selected and nothing fades. */
  setSelected(mask: Uint8Array | null): void;
  /** A ring around one point; it follows the point through morphs and is drawn for hidden points too. */
  setFocus(row: number | null): void;
  /** Where a new image falls; may lie outside the scale. `fit` shows it too. */
  setMarker(xy: [number, number] | null, label?: string): void;
  /** Where at most 400 points are in view, they are drawn as pictures. Call refresh once more have been loaded. */
  setPictures(draw: DrawPicture | null): void;
  setTheme(theme: Theme): void;
  refresh(): void;
  /** A fresh object each time it is read; set it to jump there. */
  view: View;
  /** Dragging pans or draws; with Shift it always draws a lasso. The wheel and two fingers zoom about the pointer. */
  mode: Mode;
  /** Shows the whole scale. */
  fit(): void;
  /** The visible point nearest to (x, y) within 10 pixels; CSS pixels of the element. */
  rowAt(x: number, y: number): number | null;
  /** Where a point is drawn, in CSS pixels of the element; null where it is not on the map. */
  placeOf(row: number): { x: number; y: number } | null;
  /** The visible points inside a polygon (x and y by turns, on the map's scale), ascending. */
  rowsInside(polygon: ArrayLike<number>): Uint32Array;
  /** Listens; call the answer to stop. */
  on<Name extends keyof Events>(event: Name, listener: (event: Events[Name]) => void): () => void;
  destroy(): void;
}

/** A map of `count` points, all off the map until setPoints. Falls back to "splat" where WebGL fails, or its context is lost. */
export async function createScatter(parent: HTMLElement, count: number, options: ScatterOptions): Promise<Scatter> {
  let stage: Stage | null = null;
  let isLost = false;
  const lost = () => {
    isLost = true;
    stage?.fallBack();
  };
  const dots = await openDots(options.renderer ?? chooseRenderer(), options.background, lost);
  stage = new Stage(parent, count, options, dots);
  if (isLost) stage.fallBack();
  return stage;
}
