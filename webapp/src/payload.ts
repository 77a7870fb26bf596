/** What the page is given by layerwise.views.explorer: a manifest, packs of numbers, sheets of small pictures. */

export interface Manifest {
  format: 1;
  /** What the run is called. */
  name: string;
  /** N examples: rows 0 to N - 1 everywhere. */
  count: number;
  /** M training images, the probes' neighbours. */
  base_count: number;
  /** K names. */
  classes: string[];
  /** L taps in order of execution. */
  taps: Tap[];
  /** What the probes are compared with, in words: "the network's answer". */
  reference: string;
  /** L + 1 names: the taps, then "unresolved". */
  depth_names: string[];
  /** Of the examples, in the order to offer them. */
  columns: Column[];
  /** JSON, N strings. */
  ids: ArrayRef;
  /** JSON, M strings. */
  base_ids: ArrayRef | null;
  /** (M,) */
  base_label: ArrayRef | null;
  /** (N, L), the class that each probe votes for. */
  votes: ArrayRef;
  /** Of `of` that vote, per block of so many rows of examples (rows, L, count): rows of the base, nearest first. */
  neighbors: { count: number; of: number; rows: number; blocks: ArrayRef[] } | null;
  maps: MapMethod[];
  exits: Exits | null;
  pictures: Sheets | null;
  base_pictures: Sheets | null;
  /** Empty where none were measured. */
  units: TapUnits[];
  unit_pictures: Sheets | null;
  /** About the run: network, data, seeds, versions. */
  facts: { title: string; lines: [string, string][] }[];
  /** What this run has not, and which command makes it. */
  missing: { part: string; words: string; command: string }[];
  /** True only where a server with the network answers. */
  can: { place: boolean; feature_maps: boolean };
}

export interface Tap {
  name: string;
  shape: string;
  features: number;
  facts: Record<string, number | string>;
}

export interface ArrayRef {
  pack: string;
  dtype: "u1" | "u2" | "u4" | "i4" | "f4" | "json";
  shape: number[];
  /** In bytes, a multiple of the item's size. */
  offset: number;
  bytes: number;
}

/** Picture i lies in file floor(i / (columns × rows)), row by row. */
export interface Sheets {
  width: number;
  height: number;
  columns: number;
  rows: number;
  count: number;
  files: string[];
}

type ColumnKind = "class" | "category" | "flag" | "whole" | "number";

export interface Column {
  name: string;
  title: string;
  /** One sentence. */
  about: string;
  kind: ColumnKind;
  direction: "high is hard" | "high is easy" | null;
  /** Of kind "category"; kind "class" has the manifest's classes. */
  categories: string[] | null;
  /** Not known: class and category 255 or 65535, flag 255, whole -2147483648, number NaN. */
  array: ArrayRef;
  /** Of what is known. */
  range: [number, number] | null;
  group: "example" | "network" | "depth" | "exits" | "training" | "labels" | "kinds" | "factors";
}

export interface MapMethod {
  method: string;
  title: string;
  /** points: (N, 2) u2, 0 to 65534, y upwards; each map fills its own square. 65535 twice: not on the map. */
  taps: { tap: string; order: number; points: ArrayRef; facts: MapFact[] }[];
  /** How many of the N are on the map that has most of them. */
  drawn: number;
}

export interface MapFact {
  name: string;
  /** One sentence. */
  about: string;
  value: number;
  /** To be written as percent. */
  share: boolean;
}

export interface Exits {
  names: string[];
  /** "entropy", "probability", "margin", "patience". */
  policy: string;
  /** The one whose images were evaluated. */
  split: string;
  /** (N, E) f4, NaN where not known. */
  confidence: ArrayRef | null;
  /** The column with the exit taken. */
  column: string | null;
}

export interface TapUnits {
  tap: string;
  counts: { units: number; dead: number; never_fires: number; saturated: number };
  /** Of how many units the strongest images were kept: the most selective ones. */
  kept: number;
  units: Unit[];
}

export interface Unit {
  unit: number;
  /** Share of the images at which it fires. */
  fires: number;
  dead: boolean;
  saturated: boolean;
  selectivity: number | null;
  /** The class that excites it most; -1: none does. */
  excited_by: number;
  /** Places among the unit pictures, the strongest first. */
  shown: number[];
  ids: string[];
  values: number[];
  labels: number[];
  /** K counts of the classes of its strongest images. */
  histogram: number[] | null;
  /** C × h × w, of the first layer only. */
  filter: number[][][] | null;
}

/** What `GET api/features` answers: maps of a tap, or its values where it has none. */
export interface FeatureMaps {
  tap: string;
  shape: string;
  /** How many maps there are in all, or values. */
  of: number;
  maps: { unit: number; png: string }[] | null;
  values: number[] | null;
}

/** What `POST api/place` answers about a new image. */
export interface Placed {
  picture: string;
  prediction: number;
  probabilities: number[];
  votes: number[];
  depth: number;
  reference: number;
  /** L × k rows of the base. */
  neighbors: number[][];
  /** Method to tap to place, on that map's scale; it may lie outside 0 to 65534. */
  maps: Record<string, Record<string, [number, number]>>;
  exit: { name: string; confidence: number[] } | null;
  /** How long the server took. */
  place_ms: number;
}
