/**
 * Dots written straight into a buffer of pixels.
 *
 * A dot is a stamp: the pixels that a disc covers, each with the share that it covers, made beforehand for 4 × 4 places
 * of the disc's middle inside its pixel. Blending is done on packed colours, red and blue in one multiplication.
 */

/** Pixels around the picture, so that a dot on its border needs no clipping. */
export const BORDER = 32;

const PHASES = 4;
const SUBPIXELS = 8;
const RED_BLUE = 0xff00ff;
const GREEN = 0x00ff00;
const OPAQUE = -16777216;

export interface Surface {
  /** Rows of `stride` pixels, BORDER more on each side than the picture. */
  pixels: Int32Array;
  stride: number;
  rows: number;
}

export interface Stamp {
  /** Of phase p: starts[p] up to starts[p + 1]; the offset in the buffer and the share, 1 to 256. */
  starts: Int32Array;
  offsets: Int32Array;
  shares: Int32Array;
}

/** Pixel = map's place × scale + shift, for x and y apart. */
export interface Affine {
  scaleX: number;
  shiftX: number;
  scaleY: number;
  shiftY: number;
}

/** By slot: places on the map's scale and packed colours. */
export interface Spots {
  x: Float32Array;
  y: Float32Array;
  inks: Int32Array;
}

/** The stamp of a disc in device pixels; `opacity` 0 to 1. A radius of at most half a pixel marks exactly one pixel. */
export function makeStamp(radius: number, opacity: number, stride: number): Stamp {
  const starts = new Int32Array(PHASES ** 2 + 1);
  const offsets: number[] = [];
  const shares: number[] = [];
  for (let phase = 0; phase < PHASES ** 2; phase++) {
    const x = ((phase % PHASES) + 0.5) / PHASES;
    const y = (Math.floor(phase / PHASES) + 0.5) / PHASES;
    const reach = radius > 0.5 ? Math.min(BORDER / 2, Math.ceil(radius + 1)) : 0;
    for (let j = -reach; j <= reach; j++) {
      for (let i = -reach; i <= reach; i++) {
        const share = Math.round(256 * opacity * (reach ? covered(radius, i - x, j - y) : 1));
        if (share < 1) continue;
        offsets.push(j * stride + i);
        shares.push(share);
      }
    }
    starts[phase + 1] = offsets.length;
  }
  return { starts, offsets: Int32Array.from(offsets), shares: Int32Array.from(shares) };
}

/** Share of the pixel [i, i + 1) × [j, j + 1) that a disc about the origin covers, by counting subpixels. */
function covered(radius: number, i: number, j: number): number {
  let inside = 0;
  for (let a = 0; a < SUBPIXELS; a++) {
    for (let b = 0; b < SUBPIXELS; b++) {
      if ((i + (a + 0.5) / SUBPIXELS) ** 2 + (j + (b + 0.5) / SUBPIXELS) ** 2 <= radius * radius) inside++;
    }
  }
  return inside / SUBPIXELS ** 2;
}

/** Stamps the points of slots `from` up to `to`, the later ones over the earlier ones. */
export function splat(surface: Surface, points: Spots, from: number, to: number, affine: Affine, stamp: Stamp): void {
  if (stamp.offsets.length === stamp.starts.length - 1) splatPixels(surface, points, from, to, affine, stamp.shares[0]);
  else splatDiscs(surface, points, from, to, affine, stamp);
}

function splatDiscs(surface: Surface, points: Spots, from: number, to: number, affine: Affine, stamp: Stamp): void {
  const { pixels, stride } = surface;
  const { x, y, inks } = points;
  const { scaleX, scaleY } = affine;
  const { starts, offsets, shares } = stamp;
  const low = BORDER / 2;
  const right = stride - low;
  const bottom = surface.rows - low;
  const left = affine.shiftX + BORDER;
  const up = affine.shiftY + BORDER;
  for (let slot = from; slot < to; slot++) {
    const px = x[slot] * scaleX + left;
    const py = y[slot] * scaleY + up;
    if (px < low || px >= right || py < low || py >= bottom) continue;
    const column = px | 0;
    const row = py | 0;
    const at = Math.imul(row, stride) + column;
    const phase = (((py - row) * PHASES) | 0) * PHASES + (((px - column) * PHASES) | 0);
    const ink = inks[slot];
    const redBlue = ink & RED_BLUE;
    const green = ink & GREEN;
    for (let k = starts[phase]; k < starts[phase + 1]; k++) {
      const pixel = at + offsets[k];
      const share = shares[k];
      if (share === 256) {
        pixels[pixel] = ink;
        continue;
      }
      const below = pixels[pixel];
      const rest = 256 - share;
      pixels[pixel] =
        OPAQUE |
        (((Math.imul(below & RED_BLUE, rest) + Math.imul(redBlue, share)) >>> 8) & RED_BLUE) |
        (((Math.imul(below & GREEN, rest) + Math.imul(green, share)) >>> 8) & GREEN);
    }
  }
}

/** A million dots are single pixels; without the stamp's inner loop they take a third of the time. */
function splatPixels(surface: Surface, points: Spots, from: number, to: number, affine: Affine, share: number): void {
  const { pixels, stride, rows } = surface;
  const { x, y, inks } = points;
  const { scaleX, scaleY } = affine;
  const left = affine.shiftX + BORDER;
  const up = affine.shiftY + BORDER;
  const rest = 256 - share;
  for (let slot = from; slot < to; slot++) {
    const column = (x[slot] * scaleX + left) | 0;
    const row = (y[slot] * scaleY + up) | 0;
    if (column < 0 || column >= stride || row < 0 || row >= rows) continue;
    const pixel = Math.imul(row, stride) + column;
    const below = pixels[pixel];
    const ink = inks[slot];
    pixels[pixel] =
      OPAQUE |
      (((Math.imul(below & RED_BLUE, rest) + Math.imul(ink & RED_BLUE, share)) >>> 8) & RED_BLUE) |
      (((Math.imul(below & GREEN, rest) + Math.imul(ink & GREEN, share)) >>> 8) & GREEN);
  }
}
