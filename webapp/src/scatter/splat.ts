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
  /** Of phase p: the rim from starts[2p], the disc from starts[2p + 1] up to starts[2p + 2]. */
  starts: Int32Array;
  /** Where in the buffer, from the pixel of the disc's middle, and the share, 1 to 256. */
  offsets: Int32Array;
  shares: Int32Array;
  /** Its colour, packed. */
  rim: number;
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

const RIM_OPACITY = 0.6;

/**
 * The stamp of a disc in device pixels; `opacity` 0 to 1. Around it lies a rim `rimWidth` pixels wide of the colour
 * `rim`, which keeps dots apart that lie one on another. A radius of at most half a pixel marks exactly one pixel.
 */
export function makeStamp(radius: number, opacity: number, stride: number, rimWidth = 0, rim = 0): Stamp {
  const starts = new Int32Array(2 * PHASES ** 2 + 1);
  const offsets: number[] = [];
  const shares: number[] = [];
  const add = (phase: number, share: (x: number, y: number) => number) => {
    const x = ((phase % PHASES) + 0.5) / PHASES;
    const y = (Math.floor(phase / PHASES) + 0.5) / PHASES;
    const reach = radius > 0.5 ? Math.min(BORDER / 2, Math.ceil(radius + rimWidth + 1)) : 0;
    for (let j = -reach; j <= reach; j++) {
      for (let i = -reach; i <= reach; i++) {
        const rounded = Math.round(256 * share(i - x, j - y));
        if (rounded < 1) continue;
        offsets.push(j * stride + i);
        shares.push(rounded);
      }
    }
    return offsets.length;
  };
  const disc = (x: number, y: number) => (radius > 0.5 ? covered(radius, x, y) : 1);
  for (let phase = 0; phase < PHASES ** 2; phase++) {
    const outside = (x: number, y: number) => (covered(radius + rimWidth, x, y) - disc(x, y)) * RIM_OPACITY;
    starts[2 * phase + 1] = rimWidth > 0 && radius > 0.5 ? add(phase, outside) : offsets.length;
    starts[2 * phase + 2] = add(phase, (x, y) => opacity * disc(x, y));
  }
  return { starts, offsets: Int32Array.from(offsets), shares: Int32Array.from(shares), rim };
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
  if (stamp.offsets.length === PHASES ** 2) splatPixels(surface, points, from, to, affine, stamp.shares[0]);
  else splatDiscs(surface, points, from, to, affine, stamp);
}

function splatDiscs(surface: Surface, points: Spots, from: number, to: number, affine: Affine, stamp: Stamp): void {
  const { pixels, stride } = surface;
  const { x, y, inks } = points;
  const { scaleX, scaleY } = affine;
  const { starts, offsets, shares, rim } = stamp;
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
    const phase = 2 * ((((py - row) * PHASES) | 0) * PHASES + (((px - column) * PHASES) | 0));
    const disc = starts[phase + 1];
    for (let k = starts[phase]; k < starts[phase + 2]; k++) {
      const pixel = at + offsets[k];
      const ink = k < disc ? rim : inks[slot];
      const share = shares[k];
      const rest = 256 - share;
      const below = pixels[pixel];
      pixels[pixel] =
        OPAQUE |
        (((Math.imul(below & RED_BLUE, rest) + Math.imul(ink & RED_BLUE, share)) >>> 8) & RED_BLUE) |
        (((Math.imul(below & GREEN, rest) + Math.imul(ink & GREEN, share)) >>> 8) & GREEN);
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
