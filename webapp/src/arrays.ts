/** Arrays of numbers as they lie in packs. */

import type { ArrayRef } from "./payload";

export type Numbers = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float32Array;

const DTYPE_TO_ARRAY = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, i4: Int32Array, f4: Float32Array };

/** The array that a note describes, as a view of its pack's bytes. */
export function numbersIn(pack: ArrayBuffer, ref: ArrayRef): Numbers {
  if (ref.dtype === "json") throw new TypeError(`${ref.pack} holds words, not numbers`);
  const kind = DTYPE_TO_ARRAY[ref.dtype];
  return new kind(pack, ref.offset, ref.bytes / kind.BYTES_PER_ELEMENT);
}

export function wordsIn(pack: ArrayBuffer, ref: ArrayRef): string[] {
  return JSON.parse(new TextDecoder().decode(new Uint8Array(pack, ref.offset, ref.bytes)));
}

/** The number that stands for "not known" in an array of whole numbers. */
export function notKnown(values: Numbers): number {
  if (values instanceof Uint8Array) return 255;
  if (values instanceof Uint16Array) return 65_535;
  if (values instanceof Uint32Array) return 4_294_967_295;
  return values instanceof Int32Array ? -2_147_483_648 : NaN;
}

/** Row `row` of an array of shape (N, width). */
export function rowOf(values: Numbers, row: number, width: number): Numbers {
  return values.subarray(row * width, (row + 1) * width);
}
