/** What will be wanted soon is asked for while nothing else is to do: the taps of the map, then all that stories need. */

import { sortedKnown } from "./columns";
import { field, mapOfMethod } from "./derived";
import type { ArrayRef, Sheets } from "./payload";
import { sheetOf } from "./sheets";
import { manifest, store } from "./state";

/** Sheets beyond these, of the examples and of the base, and blocks of neighbours, wait until they are wanted. */
const SHEETS = 64;
const BLOCKS = 64;

export async function prefetch(): Promise<void> {
  for (const ask of wanted()) {
    await idle();
    await ask();
  }
}

function wanted(): (() => Promise<unknown> | unknown)[] {
  const { neighbors, base_label: labels, base_pictures: base, pictures, exits } = manifest;
  const maps = (mapOfMethod.value?.taps ?? []).map(({ points }) => points);
  const arrays = [labels, exits?.confidence, ...maps];
  const packs = (refs: (ArrayRef | null | undefined)[]) =>
    Array.from(new Set(refs.flatMap((ref) => ref?.pack ?? [])), (name) => () => store.load(name).catch(() => null));
  const sheets = (of: Sheets | null) => of?.files.slice(0, SHEETS).map((file) => () => sheetOf(file).arrived) ?? [];
  const scores = manifest.columns
    .filter(({ kind }) => kind === "number" || kind === "whole")
    .map(({ name }) => field(name));
  return [
    // First, and all at once: the neighbours of any example may lie in any of them.
    () => Promise.all(sheets(base).map((ask) => ask())),
    ...scores.map((one) => () => one && sortedKnown(one)),
    ...packs(arrays),
    ...sheets(pictures),
    ...packs(neighbors?.blocks.slice(0, BLOCKS) ?? []),
  ];
}

function idle(): Promise<void> {
  return new Promise((done) =>
    "requestIdleCallback" in window ? requestIdleCallback(() => done(), { timeout: 2000 }) : setTimeout(done, 50),
  );
}
