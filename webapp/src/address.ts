/** The state of the page as the part of its address after "#": a link that is sent opens the same page. */

import { decodeClause, encodeClause, escapePiece } from "./clausecode";
import type { Clause } from "./filters";
import type { Manifest } from "./payload";
import { decodeRows, encodeRows } from "./rowcode";

export const TABS = ["map", "pictures", "table", "units", "about"] as const;
export type Tab = (typeof TABS)[number];

/** The method that is no map: two columns against each other. */
export const COLUMNS = "columns";

export interface Address {
  tab: Tab;
  method: string;
  tap: string;
  /** The columns of the method "columns". */
  x: string;
  y: string;
  color: string;
  filters: Clause[];
  /** Rows, ascending. */
  selected: Uint32Array;
  /** What grid and table show while something is selected. */
  scope: "selected" | "shown";
  row: number | null;
  sort: string;
  descending: boolean;
  /** Columns of the table. */
  columns: string[];
  /** Pixels of a picture in the grid. */
  size: number;
  unitTap: string;
  unit: number | null;
}

export const SIZES = { least: 24, usual: 64, most: 192 };

export function firstAddress(manifest: Manifest): Address {
  const map = manifest.maps[0];
  return {
    tab: "map",
    method: map?.method ?? COLUMNS,
    tap: map ? map.taps[map.taps.length - 1].tap : "",
    x: "confidence",
    y: "depth",
    color: "label",
    filters: [],
    selected: new Uint32Array(0),
    scope: "selected",
    row: null,
    sort: "",
    descending: false,
    columns: ["label", "prediction", "confidence", "correct", "depth"].filter((name) => hasColumn(manifest, name)),
    size: SIZES.usual,
    unitTap: manifest.units[0]?.tap ?? "",
    unit: null,
  };
}

function hasColumn(manifest: Manifest, name: string): boolean {
  return manifest.columns.some((column) => column.name === name);
}

/** One part of the address: its key, how it is written, how it is read; null: these words mean nothing here. */
interface Part {
  key: string;
  write(address: Address): string[];
  read(words: string, manifest: Manifest, soFar: Address): Partial<Address> | null;
}

const PARTS: Part[] = [
  { key: "tab", write: (a) => [a.tab], read: (words) => among(TABS, words, (tab) => ({ tab })) },
  {
    key: "map",
    write: (a) => [escapePiece(a.method)],
    read: (words, m) => among(methodsOf(m), words, (method) => ({ method })),
  },
  { key: "tap", write: (a) => [escapePiece(a.tap)], read: (words, m) => among(tapsOf(m), words, (tap) => ({ tap })) },
  { key: "x", write: (a) => [escapePiece(a.x)], read: (words, m) => among(namesOf(m), words, (x) => ({ x })) },
  { key: "y", write: (a) => [escapePiece(a.y)], read: (words, m) => among(namesOf(m), words, (y) => ({ y })) },
  {
    key: "color",
    write: (a) => [escapePiece(a.color)],
    read: (words, m) => among(namesOf(m), words, (color) => ({ color })),
  },
  { key: "f", write: (a) => a.filters.map(encodeClause), read: readFilter },
  { key: "sel", write: (a) => (a.selected.length ? [encodeRows(a.selected)] : []), read: readSelected },
  {
    key: "scope",
    write: (a) => [a.scope],
    read: (words) => among(["selected", "shown"] as const, words, (scope) => ({ scope })),
  },
  { key: "sort", write: (a) => [(a.descending ? "-" : "") + escapePiece(a.sort)], read: readSort },
  { key: "cols", write: (a) => [a.columns.map(escapePiece).join("~")], read: readColumns },
  {
    key: "size",
    write: (a) => [String(a.size)],
    read: (words) => within(words, SIZES.least, SIZES.most, (size) => ({ size })),
  },
  {
    key: "units",
    write: (a) => [escapePiece(a.unitTap)],
    read: (words, m) =>
      among(
        m.units.map((u) => u.tap),
        words,
        (unitTap) => ({ unitTap }),
      ),
  },
  {
    key: "unit",
    write: (a) => (a.unit === null ? [] : [String(a.unit)]),
    read: (words, m) => (m.units.length ? within(words, 0, 1e7, (unit) => ({ unit })) : null),
  },
  {
    key: "row",
    write: (a) => (a.row === null ? [] : [String(a.row)]),
    read: (words, m) => within(words, 0, m.count - 1, (row) => ({ row })),
  },
];

/** What differs from the first address, as "map=pca&row=17". */
export function encodeAddress(address: Address, first: Address): string {
  return PARTS.flatMap(({ key, write }) => {
    const words = write(address);
    const usual = write(first);
    const same = words.length === usual.length && words.every((word, place) => word === usual[place]);
    return same ? [] : (words.length ? words : [""]).map((word) => `${key}=${word}`);
  }).join("&");
}

export interface Decoded {
  address: Address;
  /** Parts that mean nothing here. */
  ignored: string[];
}

export function decodeAddress(hash: string, manifest: Manifest): Decoded {
  let address = firstAddress(manifest);
  const ignored: string[] = [];
  for (const words of hash.replace(/^#/, "").split("&").filter(Boolean)) {
    const change = readPart(words, manifest, address);
    if (change) address = { ...address, ...change };
    else ignored.push(words);
  }
  return { address, ignored };
}

function readPart(words: string, manifest: Manifest, soFar: Address): Partial<Address> | null {
  const [, key, given] = /^([^=]*)=(.*)$/.exec(words) ?? [];
  return PARTS.find((part) => part.key === key)?.read(given, manifest, soFar) ?? null;
}

function readFilter(words: string, manifest: Manifest, soFar: Address): Partial<Address> | null {
  const clause = decodeClause(words);
  return clause && means(clause, manifest) ? { filters: [...soFar.filters, clause] } : null;
}

function readSelected(words: string, manifest: Manifest): Partial<Address> | null {
  const selected = decodeRows(words);
  return selected && selected.length && selected[selected.length - 1] < manifest.count ? { selected } : null;
}

function readSort(words: string, manifest: Manifest): Partial<Address> | null {
  const descending = words.startsWith("-");
  return among([...namesOf(manifest), "id"], descending ? words.slice(1) : words, (sort) => ({ sort, descending }));
}

function readColumns(words: string, manifest: Manifest): Partial<Address> | null {
  const columns = words === "" ? [] : words.split("~").map(plain);
  return columns.every((name) => name !== null && hasColumn(manifest, name)) ? { columns: columns as string[] } : null;
}

/** Whether what a clause is about exists here. */
function means(clause: Clause, manifest: Manifest): boolean {
  if (clause.kind === "is" || clause.kind === "within") return hasColumn(manifest, clause.column);
  if (clause.kind === "rows") return clause.rows.length === 0 || clause.rows[clause.rows.length - 1] < manifest.count;
  return true;
}

function methodsOf(manifest: Manifest): string[] {
  return [...manifest.maps.map((map) => map.method), COLUMNS];
}

function tapsOf(manifest: Manifest): string[] {
  return [...new Set(manifest.maps.flatMap((map) => map.taps.map((tap) => tap.tap)))];
}

function namesOf(manifest: Manifest): string[] {
  return manifest.columns.map((column) => column.name);
}

function among<T extends string>(
  known: readonly T[],
  words: string,
  change: (word: T) => Partial<Address>,
): Partial<Address> | null {
  const word = known.find((one) => one === plain(words));
  return word === undefined ? null : change(word);
}

function within(
  words: string,
  least: number,
  most: number,
  change: (value: number) => Partial<Address>,
): Partial<Address> | null {
  const value = /^\d+$/.test(words) ? Number(words) : NaN;
  return value >= least && value <= most ? change(value) : null;
}

function plain(words: string): string | null {
  try {
    return decodeURIComponent(words);
  } catch {
    return null;
  }
}
