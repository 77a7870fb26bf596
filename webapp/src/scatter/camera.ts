/** Where the map is looked at: pure arithmetic between the map's scale (y upwards) and pixels (y downwards). */
import type { View } from "./scatter";

/** Places run from 0 to SPAN; OFF twice means not on the map. */
export const SPAN = 65534;
export const OFF = 65535;

const MARGIN = 0.94;
const ZOOM_RANGE = [0.2, 2000] as const;

export interface Camera extends View {
  /** Of the element, in CSS pixels. */
  width: number;
  height: number;
}

export interface Box {
  left: number;
  right: number;
  bottom: number;
  top: number;
}

export const WHOLE: Box = { left: 0, right: SPAN, bottom: 0, top: SPAN };

/** CSS pixels per step of the scale. */
export function pixelsPerStep(camera: Camera): number {
  return (camera.zoom * MARGIN * Math.max(1, Math.min(camera.width, camera.height))) / SPAN;
}

export function toScreen(camera: Camera, x: number, y: number): { x: number; y: number } {
  const scale = pixelsPerStep(camera);
  return { x: camera.width / 2 + (x - camera.x) * scale, y: camera.height / 2 - (y - camera.y) * scale };
}

export function toMap(camera: Camera, x: number, y: number): { x: number; y: number } {
  const scale = pixelsPerStep(camera);
  return { x: camera.x + (x - camera.width / 2) / scale, y: camera.y - (y - camera.height / 2) / scale };
}

/** A path in pixels (x and y by turns) on the map's scale. */
export function pathOnMap(camera: Camera, path: number[]): number[] {
  const polygon: number[] = [];
  for (let i = 0; i < path.length; i += 2) {
    const { x, y } = toMap(camera, path[i], path[i + 1]);
    polygon.push(x, y);
  }
  return polygon;
}

/** The view that a drag by (dx, dy) pixels gives. */
export function pan(camera: Camera, dx: number, dy: number): View {
  const scale = pixelsPerStep(camera);
  return bounded({ x: camera.x - dx / scale, y: camera.y + dy / scale, zoom: camera.zoom });
}

/** The view enlarged by `factor`; what lies under the pixel (x, y) stays there. */
export function zoomAbout(camera: Camera, x: number, y: number, factor: number): View {
  const zoom = clamp(camera.zoom * factor, ...ZOOM_RANGE);
  const held = toMap(camera, x, y);
  const shrink = camera.zoom / zoom;
  return bounded({ x: held.x + (camera.x - held.x) * shrink, y: held.y + (camera.y - held.y) * shrink, zoom });
}

/** The view in which a box just fits, enlarged to at most `most`. */
export function viewOf(box: Box, width: number, height: number, most = 40): View {
  const side = Math.max(1, Math.min(width, height));
  const wide = (Math.max(1, box.right - box.left) * side) / Math.max(1, width);
  const high = (Math.max(1, box.top - box.bottom) * side) / Math.max(1, height);
  const zoom = clamp(SPAN / Math.max(wide, high), ZOOM_RANGE[0], most);
  return { x: (box.left + box.right) / 2, y: (box.bottom + box.top) / 2, zoom };
}

/** What can be shown: finite numbers, no further from the scale than its own size. */
export function bounded(view: View): View {
  const { x, y, zoom } = view;
  return { x: clamp(x, -SPAN, 2 * SPAN), y: clamp(y, -SPAN, 2 * SPAN), zoom: clamp(zoom, ...ZOOM_RANGE) };
}

/** Between two views; zoom by equal factors in equal times, so that it looks even. */
export function between(from: View, to: View, part: number): View {
  if (part >= 1) return { ...to };
  const zoom = from.zoom * (to.zoom / from.zoom) ** part;
  const moved = Math.abs(to.zoom / from.zoom - 1) < 1e-3 ? part : (1 / from.zoom - 1 / zoom) / (1 / from.zoom - 1 / to.zoom);
  return { x: from.x + (to.x - from.x) * moved, y: from.y + (to.y - from.y) * moved, zoom };
}

export function eased(part: number): number {
  return part < 0.5 ? 4 * part ** 3 : 1 - (2 - 2 * part) ** 3 / 2;
}

function clamp(value: number, low: number, high: number): number {
  return Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : low;
}
