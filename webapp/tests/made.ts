/** A small run that tests agree on. */

import { fieldOf, type Field } from "../src/columns";
import type { Subject } from "../src/filters";
import type { ArrayRef, Column, Manifest } from "../src/payload";
import type { Numbers } from "../src/arrays";

export const NOWHERE: ArrayRef = { pack: "", dtype: "u1", shape: [], offset: 0, bytes: 0 };

export function column(
  name: string,
  kind: Column["kind"],
  range: [number, number] | null,
  more: Partial<Column> = {},
): Column {
  return {
    name,
    title: name,
    about: "",
    kind,
    direction: null,
    categories: null,
    array: NOWHERE,
    range,
    group: "example",
    ...more,
  };
}

export const COLUMNS = [
  column("label", "class", [0, 2]),
  column("confidence", "number", [0, 1], { direction: "high is easy" }),
  column("depth", "whole", [0, 3], { group: "depth", direction: "high is hard" }),
  column("epochs", "whole", [0, 900]),
];

export const MANIFEST: Manifest = {
  format: 1,
  name: "a run",
  count: 200,
  base_count: 0,
  classes: ["cat", "dog", "Horse"],
  taps: ["stem", "layer1", "logits"].map((name) => ({ name, shape: "", features: 1, facts: {} })),
  reference: "the network's answer",
  depth_names: ["stem", "layer1", "logits", "unresolved"],
  columns: COLUMNS,
  ids: NOWHERE,
  base_ids: null,
  base_label: null,
  votes: NOWHERE,
  neighbors: null,
  maps: ["tsne", "pca"].map((method) => ({
    method,
    title: method,
    taps: ["stem", "logits"].map((tap, order) => ({ tap, order, points: NOWHERE, facts: [] })),
    drawn: 200,
  })),
  exits: null,
  pictures: null,
  base_pictures: null,
  units: [{ tap: "stem", counts: { units: 8, dead: 0, never_fires: 0, saturated: 0 }, kept: 0, units: [] }],
  unit_pictures: null,
  facts: [],
  missing: [],
  can: { place: false, feature_maps: false },
};

/** Numbers between 0 and 1 that are always the same. */
export function draws(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export function fieldsOf(count = MANIFEST.count): Record<string, Field> {
  const next = draws(7);
  const some = <Kind extends Numbers>(values: Kind, draw: () => number): Kind => values.map(draw) as Kind;
  const values = [
    some(new Uint8Array(count), () => (next() < 0.1 ? 255 : Math.floor(3 * next()))),
    some(new Float32Array(count), () => (next() < 0.1 ? NaN : next())),
    some(new Int32Array(count), () => Math.floor(4 * next())),
    some(new Int32Array(count), () => (next() < 0.1 ? -(2 ** 31) : Math.floor(901 * next()))),
  ];
  return Object.fromEntries(COLUMNS.map((one, place) => [one.name, fieldOf(one, values[place], MANIFEST)]));
}

export const IDS = Array.from({ length: MANIFEST.count }, (_, row) => `Test/${String(row).padStart(4, "0")}.png`);

export function subject(): Subject {
  const fields = fieldsOf();
  const small = IDS.map((id) => id.toLowerCase());
  return { count: MANIFEST.count, field: (name) => fields[name] ?? null, ids: () => small };
}
