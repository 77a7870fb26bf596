/** Sheets of small pictures: where a picture lies, and the image file that holds it, asked for once. */

import { signal, type Signal } from "@preact/signals";
import type { Sheets } from "./payload";
import { source } from "./state";

type State = "arriving" | "here" | "failed";

interface Sheet {
  image: HTMLImageElement;
  state: Signal<State>;
  /** Resolves when it is here, or has failed. */
  arrived: Promise<void>;
}

const sheets = new Map<string, Sheet>();

/** The last file of pictures that could not be read. */
export const failedSheet = signal<string | null>(null);

/** The sheet, asked for when it is first needed. */
export function sheetOf(file: string): Sheet {
  const known = sheets.get(file);
  if (known) return known;
  const sheet = { image: new Image(), state: signal<State>("arriving"), arrived: Promise.resolve() };
  sheets.set(file, sheet);
  sheet.arrived = read(file, sheet, source.sheet(file));
  return sheet;
}

/** Decoded before anything is drawn from it: what is drawn from a sheet that is not holds the page up. */
async function read(file: string, { image, state }: Sheet, address: string): Promise<void> {
  state.value = "arriving";
  image.src = address;
  try {
    await image.decode();
    state.value = "here";
  } catch {
    state.value = "failed";
    failedSheet.value = file;
  }
}

/** Ask again for the sheets that could not be read. */
export function retrySheets(): void {
  failedSheet.value = null;
  for (const [file, sheet] of sheets) {
    if (sheet.state.value === "failed") void read(file, sheet, `${source.sheet(file)}?again=${Date.now()}`);
  }
}

export interface Spot {
  file: string;
  column: number;
  row: number;
}

export function spotOf({ columns, rows, files }: Sheets, place: number): Spot {
  const inside = place % (columns * rows);
  return {
    file: files[Math.floor(place / (columns * rows))],
    column: inside % columns,
    row: Math.floor(inside / columns),
  };
}

/** CSS of an element that shows one picture, its longer side `size` pixels. */
export function spotStyle(of: Sheets, place: number, size: number): string {
  const { file, column, row } = spotOf(of, place);
  const scale = size / Math.max(of.width, of.height);
  const [width, height] = [of.width * scale, of.height * scale];
  const where = `background:url("${sheetOf(file).image.src}") ${-column * width}px ${-row * height}px/${of.columns * width}px auto no-repeat`;
  return `width:${width}px;height:${height}px;${where};image-rendering:${scale >= 1 ? "pixelated" : "auto"}`;
}

/** Sheets that a canvas has been drawn from: the first time costs the decoding of the whole sheet. */
const warm = new Set<string>();
let warming = false;

/** Whether a canvas may be drawn from a sheet now: from one that is new to it in each frame, so that none takes long. */
function mayDraw(file: string): boolean {
  if (warm.has(file)) return true;
  if (warming) return false;
  warming = true;
  setTimeout(() => (warming = false));
  warm.add(file);
  return true;
}

/** Draw a picture, its longer side `size` pixels, in the middle of the square at (x, y); false: it is not here yet. */
export function drawSpot(
  context: CanvasRenderingContext2D,
  of: Sheets,
  place: number,
  x: number,
  y: number,
  size: number,
): boolean {
  const { file, column, row } = spotOf(of, place);
  const { image, state } = sheetOf(file);
  if (state.peek() !== "here" || !mayDraw(file)) return false;
  const scale = size / Math.max(of.width, of.height);
  const [width, height] = [of.width * scale, of.height * scale];
  context.imageSmoothingEnabled = scale < 1;
  const [left, top] = [x + (size - width) / 2, y + (size - height) / 2];
  context.drawImage(image, column * of.width, row * of.height, of.width, of.height, left, top, width, height);
  return true;
}
