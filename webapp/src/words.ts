/** Numbers and counts as a reader wants them. */

const whole = new Intl.NumberFormat("en");
const large = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 4 });

export function countWords(count: number): string {
  return whole.format(count);
}

/** "1 example", "2 examples". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${countWords(count)} ${count === 1 ? one : many}`;
}

/** About three digits, without a tail of zeros. */
export function numberWords(value: number): string {
  if (Number.isInteger(value)) return (Math.abs(value) < 1e7 ? whole : large).format(value).replace("-", "−");
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3) return value.toExponential(2).replace("-", "−");
  const digits = size >= 100 ? 1 : size >= 10 ? 2 : 3;
  return value.toFixed(digits).replace("-", "−");
}

/** The shape of a tap: "64 × 8 × 8", and of one that is a vector "6 numbers". */
export function shapeWords(shape: string): string {
  return /^\d+$/.test(shape) ? counted(Number(shape), "number") : shape;
}

/** A share as percent. */
export function percentWords(share: number): string {
  const percent = 100 * share;
  return `${percent < 10 && percent > 0 ? percent.toFixed(1) : percent.toFixed(0)} %`;
}

/** As `percentWords`, but never "100 %" of what is not all. */
export function confidenceWords(share: number): string {
  if (share >= 0.995 && share < 1) return `${(Math.floor(1000 * share) / 10).toFixed(1)} %`;
  return percentWords(share);
}
