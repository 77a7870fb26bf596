/** Columns: what is known of each example, as typed arrays; never an object for each row. */

import { notKnown, type Numbers } from "./arrays";
import type { Column, Manifest } from "./payload";
import { numberWords } from "./words";

export interface Field {
  column: Column;
  values: Numbers;
  /** Where values are a few things with names; choice i is the value `first` + i. */
  choices: string[] | null;
  first: number;
  /** Whether the choices have an order, as depths have. */
  ordered: boolean;
}

/** Whole numbers of so many different values or fewer are offered one by one. */
const FEW = 41;

export function fieldOf(column: Column, values: Numbers, manifest: Manifest): Field {
  return { column, values, ...choicesOf(column, manifest) };
}

function choicesOf(column: Column, manifest: Manifest): Pick<Field, "choices" | "first" | "ordered"> {
  if (column.kind === "class") return { choices: manifest.classes, first: 0, ordered: false };
  if (column.kind === "category")
    return { choices: column.categories ?? [], first: 0, ordered: column.group === "exits" };
  if (column.kind === "flag")
    return { choices: column.name === "correct" ? ["wrong", "right"] : ["no", "yes"], first: 0, ordered: false };
  if (column.kind === "whole") return wholeChoices(column, manifest);
  return { choices: null, first: 0, ordered: true };
}

function wholeChoices(column: Column, manifest: Manifest): Pick<Field, "choices" | "first" | "ordered"> {
  if (isDepth(column, manifest)) return { choices: manifest.depth_names, first: 0, ordered: true };
  const [low, high] = column.range ?? [0, 0];
  const count = high - low + 1;
  if (count > FEW) return { choices: null, first: 0, ordered: true };
  return { choices: Array.from({ length: count }, (_, place) => String(low + place)), first: low, ordered: true };
}

/** Depths are places among the taps. */
function isDepth(column: Column, manifest: Manifest): boolean {
  const high = column.range?.[1] ?? 0;
  return column.group === "depth" && column.name.endsWith("depth") && high < manifest.depth_names.length;
}

/** The value of a row; null where it is not known. */
export function valueAt(field: Field, row: number): number | null {
  const value = field.values[row];
  return Number.isNaN(value) || value === notKnown(field.values) ? null : value;
}

export function wordsAt(field: Field, row: number): string {
  const value = valueAt(field, row);
  return value === null ? "not known" : wordsOf(field, value);
}

export function wordsOf(field: Field, value: number): string {
  return field.choices?.[value - field.first] ?? numberWords(value);
}

const codesOfField = new WeakMap<Field, Uint16Array>();

/** The choice of each row; `choices.length` where it is not known. */
export function choiceCodes(field: Field): Uint16Array {
  const before = codesOfField.get(field);
  if (before) return before;
  const { values, first } = field;
  const unknown = field.choices?.length ?? 0;
  const codes = new Uint16Array(values.length);
  for (let row = 0; row < values.length; row++) {
    const place = values[row] - first;
    codes[row] = place >= 0 && place < unknown ? place : unknown;
  }
  codesOfField.set(field, codes);
  return codes;
}

/** How many rows of a mask have each choice; the last count is of those not known. */
export function countChoices(field: Field, mask: Uint8Array): Uint32Array {
  const codes = choiceCodes(field);
  const counts = new Uint32Array((field.choices?.length ?? 0) + 1);
  for (let row = 0; row < codes.length; row++) counts[codes[row]] += mask[row];
  return counts;
}

export interface Bins {
  counts: Uint32Array;
  low: number;
  high: number;
  unknown: number;
}

/** How many rows of a mask lie in each of equal intervals of the column's range. */
export function countBins(field: Field, mask: Uint8Array, bins: number): Bins {
  const [low, high] = field.column.range ?? [0, 1];
  const counts = new Uint32Array(bins);
  const missing = notKnown(field.values);
  const scale = high > low ? bins / (high - low) : 0;
  let unknown = 0;
  for (let row = 0; row < mask.length; row++) {
    if (!mask[row]) continue;
    const value = field.values[row];
    if (Number.isNaN(value) || value === missing) unknown++;
    else counts[Math.max(0, Math.min(bins - 1, Math.floor((value - low) * scale)))]++;
  }
  return { counts, low, high, unknown };
}

export interface Rank {
  /** How many are known to lie further towards that end. */
  beyond: number;
  /** How many have the same value, this one with them. */
  same: number;
  of: number;
}

/** Where a row's value stands among all that are known, counted from the hard end, or from the largest. */
export function rankOf(field: Field, row: number): Rank | null {
  const own = valueAt(field, row);
  if (own === null) return null;
  const known = sortedKnown(field);
  const smaller = countBelow(known, own, false);
  const upTo = countBelow(known, own, true);
  const beyond = field.column.direction === "high is easy" ? smaller : known.length - upTo;
  return { beyond, same: upTo - smaller, of: known.length };
}

const sortedOfField = new WeakMap<Field, Numbers>();

/** All values that are known, ascending; sorted once. */
export function sortedKnown(field: Field): Numbers {
  const before = sortedOfField.get(field);
  if (before) return before;
  const missing = notKnown(field.values);
  const known = field.values.filter((value: number) => value === value && value !== missing).sort();
  sortedOfField.set(field, known);
  return known;
}

/** How many of ascending values are below a value, or at most it. */
function countBelow(ascending: Numbers, value: number, orEqual: boolean): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle] < value || (orEqual && ascending[middle] === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}

const binsOfField = new WeakMap<Field, Bins>();

/** The spread of a column over all examples, in `bins` intervals; made once. */
export function wholeBins(field: Field, bins: number): Bins {
  const made = binsOfField.get(field) ?? countBins(field, new Uint8Array(field.values.length).fill(1), bins);
  binsOfField.set(field, made);
  return made;
}
