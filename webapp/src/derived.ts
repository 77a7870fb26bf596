/** What follows from the state: masks, orders, colours, places. Each is made again only when its reasons change. */

import { computed } from "@preact/signals";
import { COLUMNS } from "./address";
import { choiceCodes, fieldOf, type Field } from "./columns";
import { columnOf, countOf, maskOf, maskOfRows, type Subject } from "./filters";
import { keep, orderOf, orderOfWords } from "./order";
import { OFF, SPAN } from "./scatter/camera";
import { filters, manifest, method, part, scope, selected, store } from "./state";

const fields = new Map<string, Field>();

/** A column with its values; null until they are here, or where there is no such column. */
export function field(name: string): Field | null {
  const known = fields.get(name);
  if (known) return known;
  const column = manifest.columns.find((one) => one.name === name);
  const values = store.numbers(column?.array);
  if (!column || !values) return null;
  const made = fieldOf(column, values, manifest);
  fields.set(name, made);
  return made;
}

export const ids = computed(() => store.words(manifest.ids));
export const votes = computed(() => store.numbers(manifest.votes));
export const baseLabels = computed(() => store.numbers(manifest.base_label));
const smallIds = computed(() => ids.value?.map((id) => id.toLowerCase()) ?? null);

const idToRow = computed(() => new Map(ids.value?.map((id, row) => [id, row])));

/** The row of an id among the examples; null where it is none of them. */
export function rowOfId(id: string): number | null {
  return idToRow.value.get(id) ?? null;
}

export function idOf(row: number): string {
  return ids.value?.[row] ?? `row ${row}`;
}

const subject: Subject = {
  get count() {
    return manifest.count;
  },
  field,
  ids: () => smallIds.value,
};

export const filterMask = computed(() => maskOf(filters.value, subject));
export const shownCount = computed(() => countOf(filterMask.value));

/** The rows that meet all filters but the one on a column: what the counts beside its values are of. */
export function maskWithout(column: string): Uint8Array {
  const others = filters.value.filter((clause) => columnOf(clause) !== column);
  return others.length === filters.value.length ? filterMask.value : maskOf(others, subject);
}

export const selectedMask = computed(() => maskOfRows(selected.value, manifest.count));

/** What grid and table list: the selected, or all that are shown. */
const listMask = computed(() => {
  return scope.value === "selected" && selected.value.length ? selectedMask.value : filterMask.value;
});

const sort = part("sort");
const descending = part("descending");
const wholeOrder = computed(() => {
  if (sort.value === "id") return orderOfWords(ids.value ?? [], descending.value);
  const values = field(sort.value)?.values;
  return values ? orderOf(values, descending.value) : rowsAsTheyAre.value;
});
const rowsAsTheyAre = computed(() => Uint32Array.from({ length: manifest.count }, (_, row) => row));

/** The rows that are listed, in their order. */
export const listed = computed(() => keep(wholeOrder.value, listMask.value));

export const mapOfMethod = computed(() => manifest.maps.find((map) => map.method === method.value) ?? null);

const tapName = part("tap");
/** The map that is looked at: that of the tap, or the last one where the method has none of it. */
export const mapTap = computed(() => {
  const taps = mapOfMethod.value?.taps ?? [];
  return taps.find((one) => one.tap === tapName.value) ?? taps[taps.length - 1] ?? null;
});

const xName = part("x");
const yName = part("y");

/** The places of all points, two numbers each; null until they are here. */
export const points = computed(() => {
  if (method.value !== COLUMNS) return store.numbers(mapTap.value?.points) as Uint16Array | null;
  const [x, y] = [field(xName.value), field(yName.value)];
  return x && y ? against(x, y) : null;
});

/** How many of the rows that are shown have a place on the map. */
export const drawnCount = computed(() => {
  const xy = points.value;
  if (!xy) return 0;
  let count = 0;
  for (let row = 0; row < manifest.count; row++) if (filterMask.value[row] && xy[2 * row] !== OFF) count++;
  return count;
});

/** Of the distance between two choices, that points of the same choice are strewn over. */
const STREWN = 0.7;

/** Two columns against each other; rows of the same choice are strewn beside each other, always the same way. */
function against(x: Field, y: Field): Uint16Array {
  const xy = new Uint16Array(2 * manifest.count).fill(OFF);
  const [toX, toY] = [scaleOf(x), scaleOf(y)];
  for (let row = 0; row < manifest.count; row++) {
    const [left, up] = [toX(row, strewn(row, 1)), toY(row, strewn(row, 2))];
    if (Number.isNaN(left) || Number.isNaN(up)) continue;
    xy[2 * row] = left;
    xy[2 * row + 1] = up;
  }
  return xy;
}

function scaleOf({ choices, values, column, first, ...rest }: Field): (row: number, shift: number) => number {
  if (choices) {
    const codes = choiceCodes({ choices, values, column, first, ...rest });
    const count = choices.length;
    return (row, shift) => (codes[row] < count ? ((codes[row] + 0.5 + STREWN * (shift - 0.5)) / count) * SPAN : NaN);
  }
  const [low, high] = column.range ?? [0, 1];
  const scale = high > low ? SPAN / (high - low) : 0;
  return (row) => (values[row] >= low && values[row] <= high ? (values[row] - low) * scale : NaN);
}

/** A number from 0 to 1 that a row always has. */
function strewn(row: number, salt: number): number {
  let mixed = Math.imul(row + 0x9e3779b9 * salt, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
}
