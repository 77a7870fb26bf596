/** Sheets of small pictures: where a picture lies, and the image file that holds it, asked for once. */

import { signal, type Signal } from "@preact/signals";
import type { Sheets } from "./payload";
import { source } from "./state";

type State = "arriving" | "here" | "failed";

interface Sheet {
  image: HTMLImageElement;
  state: Signal<State>;
}

const sheets = new Map<string, Sheet>();

/** The sheet, asked for when it is first needed. */
export function sheetOf(file: string): Sheet {
  const known = sheets.get(file);
  if (known) return known;
  const sheet = { image: new Image(), state: signal<State>("arriving") };
  sheet.image.onload = () => (sheet.state.value = "here");
  sheet.image.onerror = () => (sheet.state.value = "failed");
  sheet.image.decoding = "async";
  sheet.image.src = source.sheet(file);
  sheets.set(file, sheet);
  return sheet;
}

/** Ask again for the sheets that could not be read. */
export function retrySheets(): void {
  for (const { image, state } of sheets.values()) {
    if (state.value !== "failed") continue;
    state.value = "arriving";
    image.src = `${image.src.replace(/\?.*/, "")}?again=${Date.now()}`;
  }
}

export interface Spot {
  file: string;
  column: number;
  row: number;
}

export function spotOf({ columns, rows, files }: Sheets, place: number): Spot {
  const inside = place % (columns * rows);
  return { file: files[Math.floor(place / (columns * rows))], column: inside % columns, row: Math.floor(inside / columns) };
}

/** CSS of an element that shows one picture, its longer side `size` pixels. */
export function spotStyle(of: Sheets, place: number, size: number): string {
  const { file, column, row } = spotOf(of, place);
  const scale = size / Math.max(of.width, of.height);
  const [width, height] = [of.width * scale, of.height * scale];
  const where = `background:url("${sheetOf(file).image.src}") ${-column * width}px ${-row * height}px/${of.columns * width}px auto no-repeat`;
  return `width:${width}px;height:${height}px;${where};image-rendering:${scale >= 1 ? "pixelated" : "auto"}`;
}

/** Draw a picture, its longer side `size` pixels, in the middle of the square at (x, y); false: it is not here yet. */
export function drawSpot(context: CanvasRenderingContext2D, of: Sheets, place: number, x: number, y: number, size: number): boolean {
  const { file, column, row } = spotOf(of, place);
  const { image, state } = sheetOf(file);
  if (state.peek() !== "here") return false;
  const scale = size / Math.max(of.width, of.height);
  const [width, height] = [of.width * scale, of.height * scale];
  context.imageSmoothingEnabled = scale < 1;
  const [left, top] = [x + (size - width) / 2, y + (size - height) / 2];
  context.drawImage(image, column * of.width, row * of.height, of.width, of.height, left, top, width, height);
  return true;
}
