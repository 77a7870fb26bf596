/** Colours as the splat's buffer holds them: 0xAABBGGRR in a signed 32-bit number (little-endian ImageData). */

/** Where a point's place in the palette is past its end. */
export const UNKNOWN_COLOR = "#9a9a9a";

/** "#rgb" or "#rrggbb" (an alpha behind it is left out) as one opaque packed number. */
export function packed(hex: string): number {
  const digits = /^#([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/i.exec(hex.trim())?.[1];
  if (!digits) throw new Error(`A colour reads #rgb or #rrggbb; got "${hex}".`);
  const long = digits.length < 6 ? [...digits].map((digit) => digit + digit).join("") : digits;
  const [r, g, b] = [0, 2, 4].map((at) => parseInt(long.slice(at, at + 2), 16));
  return (255 << 24) | (b << 16) | (g << 8) | r;
}

/** `part` of the way from one packed colour to another. */
export function mixed(from: number, to: number, part: number): number {
  let out = 255 << 24;
  for (const shift of [0, 8, 16]) {
    const a = (from >>> shift) & 255;
    out |= Math.round(a + (((to >>> shift) & 255) - a) * part) << shift;
  }
  return out;
}

export function hexOf(color: number): string {
  return `#${[0, 8, 16].map((shift) => ((color >>> shift) & 255).toString(16).padStart(2, "0")).join("")}`;
}

/** Perceived lightness, 0 (black) to 1 (white). */
export function lightness(color: number): number {
  return (0.299 * (color & 255) + 0.587 * ((color >>> 8) & 255) + 0.114 * ((color >>> 16) & 255)) / 255;
}

/** The palette packed for every place that a colour can have (0 to 65535). */
export function packPalette(palette: string[]): Int32Array {
  const inks = new Int32Array(65536).fill(packed(UNKNOWN_COLOR));
  palette.slice(0, 65536).forEach((hex, place) => (inks[place] = packed(hex)));
  return inks;
}

/** The packed palette as those points have it that are not selected: most of the way to the background. */
export function fadedPalette(inks: Int32Array, background: number): Int32Array {
  const grey = mixed(background, lightness(background) > 0.5 ? packed("#8a8f98") : packed("#a0a6b0"), 0.34);
  const memory = new Map<number, number>();
  return inks.map((ink) => {
    if (!memory.has(ink)) memory.set(ink, mixed(ink, grey, 0.86));
    return memory.get(ink)!;
  });
}
