/** What the reader does, in one place: the same from the mouse, the keys and the address. */

import { signal } from "@preact/signals";
import { filterMask, listed, mapOfMethod, mapTap } from "./derived";
import { withColumn, type Clause } from "./filters";
import { address, go, manifest } from "./state";

/** Words for the live region and a note at the foot of the page; they go after a while. */
export const said = signal("");

let quiet = 0;
export function say(words: string): void {
  said.value = words;
  window.clearTimeout(quiet);
  quiet = window.setTimeout(() => (said.value = ""), 4000);
}

/** Said of an address that was put into the clipboard. */
export function sayCopied(copied: boolean): void {
  const served = location.protocol !== "file:";
  if (!copied) say("The clipboard cannot be written; take the link from the address bar.");
  else if (served) say("Link copied. It works on this computer while the explorer runs; to send it, export with --export.");
  else say("Link copied. To send it, send the folder, too.");
}

/** The first example of those that meet all filters, in the order of the list. */
export function openFirst(): void {
  const row = listed.value.find((one) => filterMask.value[one] === 1) ?? filterMask.value.indexOf(1);
  if (row >= 0) openStory(row);
}

export function openStory(row: number): void {
  performance.mark("story-asked");
  if (address.value.row !== row) go({ row });
}

export function closeStory(): void {
  go({ row: null });
}

/** The story of the example before or after in the list. */
export function stepStory(by: number): void {
  const rows = listed.value;
  const at = rows.indexOf(address.value.row ?? -1);
  const next = at < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, at + by));
  if (rows.length) openStory(rows[next]);
}

export function setFilter(column: string, clause: Clause | null, how: "push" | "replace" = "push"): void {
  go({ filters: withColumn(address.value.filters, column, clause) }, how);
}

export function removeFilter(place: number): void {
  go({ filters: address.value.filters.filter((_, at) => at !== place) });
}

/** Only this value of a column; with `add` this one too; a second time: all again. */
export function isolate(column: string, value: number | null, add: boolean): void {
  const before = address.value.filters.find((clause) => clause.kind === "is" && clause.column === column);
  const values = before?.kind === "is" ? before.values : [];
  const others = values.filter((one) => one !== value);
  const next = add
    ? others.length < values.length
      ? others
      : [...values, value]
    : values.length === 1 && !others.length
      ? []
      : [value];
  setFilter(column, next.length ? { kind: "is", column, values: next } : null);
}

export function select(rows: ArrayLike<number>, add = false): void {
  const all = add ? [...address.value.selected, ...Array.from(rows)] : Array.from(rows);
  const selected = Uint32Array.from(new Set(all)).sort();
  go({ selected, scope: "selected" });
}

export function toggleSelected(row: number): void {
  const { selected } = address.value;
  const without = selected.filter((one) => one !== row);
  if (without.length < selected.length) go({ selected: without });
  else go({ selected: Uint32Array.from([...selected, row]).sort() });
}

export function clearSelection(): void {
  if (address.value.selected.length) go({ selected: new Uint32Array(0), scope: "selected" });
}

/** The selection becomes a filter. */
export function keepSelected(): void {
  const { selected, filters } = address.value;
  const others = filters.filter((clause) => clause.kind !== "rows");
  go({ filters: [...others, { kind: "rows", rows: selected }], selected: new Uint32Array(0) });
}

/** The map before or after; says whether there was one. */
export function stepTap(by: number): boolean {
  const taps = mapOfMethod.value?.taps ?? [];
  const at = taps.findIndex((one) => one === mapTap.value) + by;
  if (!taps[at]) return false;
  go({ tap: taps[at].tap }, "replace");
  return true;
}

export function sortBy(name: string): void {
  const { sort, descending } = address.value;
  // Numbers on a scale are asked for from the top; words, and whole numbers such as depths, from the start.
  const numeric = manifest.columns.find((column) => column.name === name)?.kind === "number";
  if (sort !== name) go({ sort: name, descending: numeric });
  else go({ descending: !descending });
}
