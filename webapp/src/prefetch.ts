/** What will be wanted soon is asked for while nothing else is to do: the taps of the map, then all that stories need. */

import { sortedKnown } from "./columns";
import { field, mapOfMethod } from "./derived";
import { sheetOf } from "./sheets";
import { manifest, store } from "./state";

/** Sheets beyond these, of the examples and of the base, wait until they are seen. */
const SHEETS = 64;

export async function prefetch(): Promise<void> {
  for (const ask of wanted()) {
    await idle();
    await ask();
  }
}

function wanted(): (() => Promise<unknown> | unknown)[] {
  const { neighbors, base_label: labels, base_pictures: base, pictures, exits } = manifest;
  const maps = (mapOfMethod.value?.taps ?? []).map(({ points }) => points);
  const arrays = [labels, exits?.confidence, ...(neighbors?.taps ?? []), ...maps];
  const names = new Set(arrays.filter((ref) => ref != null).map((ref) => ref.pack));
  const files = [...(pictures?.files.slice(0, SHEETS) ?? []), ...(base?.files.slice(0, SHEETS) ?? [])];
  const scores = manifest.columns
    .filter(({ kind }) => kind === "number" || kind === "whole")
    .map(({ name }) => field(name));
  return [
    ...scores.map((one) => () => one && sortedKnown(one)),
    ...Array.from(names, (name) => () => store.load(name).catch(() => null)),
    ...files.map((file) => () => sheetOf(file).arrived),
  ];
}

function idle(): Promise<void> {
  return new Promise((done) =>
    "requestIdleCallback" in window ? requestIdleCallback(() => done(), { timeout: 2000 }) : setTimeout(done, 50),
  );
}
