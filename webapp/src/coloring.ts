/** Colours of the points: a place in a palette for each row, and the words that say what it means. */

import { computed } from "@preact/signals";
import { choiceCodes, sortedKnown, type Field } from "./columns";
import { notKnown } from "./arrays";
import { field } from "./derived";
import { classColors, divergingColors, flagColors, orderedColors } from "./palette";
import { color, manifest } from "./state";
import { dark } from "./theme";

export interface Coloring {
  field: Field;
  /** A row's place in the palette; one past its end where the value is not known. */
  codes: Uint8Array | Uint16Array;
  palette: string[];
  /** The values that the first and the last colour stand for, of numbers on a scale. */
  limits: [number, number] | null;
}

const STEPS = 64;
/** Where a few values stretch the range so many times, colours end at the hundredth parts. */
const STRETCHED = 3;

const colorField = computed(() => field(color.value));

export const coloring = computed((): Coloring | null => {
  const by = colorField.value;
  if (!by) return null;
  if (by.choices) return { field: by, codes: choiceCodes(by), palette: choiceColors(by, dark.value), limits: null };
  const limits = limitsOf(by);
  return { field: by, codes: stepsOf(by, limits), palette: scaleColors(limits, STEPS, dark.value), limits };
});

export function choiceColors({ column, choices, ordered }: Field, onDark: boolean): string[] {
  if (column.kind === "flag") return flagColors(column.name === "correct");
  const count = choices?.length ?? 0;
  return ordered ? orderedColors(count, onDark) : classColors(count);
}

export const classPalette = computed(() => classColors(manifest.classes.length));

/** Numbers of both signs part at zero. */
export function scaleColors([low, high]: [number, number], steps: number, onDark: boolean): string[] {
  return low < 0 && high > 0 ? divergingColors(steps) : orderedColors(steps, onDark);
}

const limitsOfField = new WeakMap<Field, [number, number]>();

export function limitsOf(by: Field): [number, number] {
  const before = limitsOfField.get(by);
  if (before) return before;
  const limits = balanced(unstretched(by));
  limitsOfField.set(by, limits);
  return limits;
}

function unstretched(by: Field): [number, number] {
  const [low, high] = by.column.range ?? [0, 1];
  const known = sortedKnown(by);
  if (known.length < 100) return [low, high];
  const [from, to] = [known[Math.floor(0.01 * known.length)], known[Math.floor(0.99 * known.length)]];
  return to > from && high - low > STRETCHED * (to - from) ? [from, to] : [low, high];
}

function balanced([low, high]: [number, number]): [number, number] {
  if (!(low < 0 && high > 0)) return [low, high];
  const most = Math.max(-low, high);
  return [-most, most];
}

const stepsOfField = new WeakMap<Field, Uint8Array>();

function stepsOf(by: Field, [low, high]: [number, number]): Uint8Array {
  const before = stepsOfField.get(by);
  if (before) return before;
  const missing = notKnown(by.values);
  const codes = new Uint8Array(by.values.length);
  const scale = high > low ? STEPS / (high - low) : 0;
  for (let row = 0; row < codes.length; row++) {
    const value = by.values[row];
    const unknown = Number.isNaN(value) || value === missing;
    codes[row] = unknown ? STEPS : Math.max(0, Math.min(STEPS - 1, (value - low) * scale));
  }
  stepsOfField.set(by, codes);
  return codes;
}
