/** Tap after tap: what the probe votes for, and the training images that lie nearest. */

import { classPalette } from "../coloring";
import { baseLabels } from "../derived";
import { rowOf, type Numbers } from "../arrays";
import { sheetOf, spotOf } from "../sheets";
import { manifest, store } from "../state";
import { isNarrow } from "../theme";
import { Picture } from "./Picture";

/** Rows of the base; null where they are not here yet, none where the run has none. */
export type Neighbors = Numbers | null;

const NONE = new Uint8Array(0);

export function neighborsAt(tap: number, row: number): Neighbors {
  const { neighbors } = manifest;
  const block = neighbors?.blocks[Math.floor(row / neighbors.rows)];
  if (!neighbors || !block) return NONE;
  const values = store.numbers(block);
  return values && rowOf(values, (row % neighbors.rows) * manifest.taps.length + tap, neighbors.count);
}

/** Whether neighbours, and the sheets of all pictures of a story, are here. */
export function areHere(row: number, neighbors: Neighbors[]): boolean {
  const { pictures, base_pictures: base } = manifest;
  const files = new Set<string>();
  if (pictures) files.add(spotOf(pictures, row).file);
  for (const rows of neighbors) for (const one of rows ?? []) if (base) files.add(spotOf(base, one).file);
  return (
    !neighbors.includes(null) &&
    [...files].map((file) => sheetOf(file).state.value).every((state) => state !== "arriving")
  );
}

interface TapListProps {
  votes: ArrayLike<number>;
  depth: number;
  reference: number;
  neighbors: Neighbors[];
  /** What the reference is, in words. */
  called?: string;
}

export function TapList({ votes, depth, reference, neighbors, called = manifest.reference }: TapListProps) {
  const some = neighbors.some((rows) => rows === null || rows.length);
  return (
    <>
      <ol class="tap-list">
        {manifest.taps.map(({ name }, tap) => (
          <li key={name} class={`tap-row${tap === depth ? " decides" : ""}${tap >= depth ? " settled" : ""}`}>
            <span class="tap tail" title={name}>
              <bdi>{name}</bdi>
            </span>
            <Vote vote={votes[tap]} reference={reference} />
            <Nearest rows={neighbors[tap]} reference={reference} />
          </li>
        ))}
      </ol>
      {some && manifest.base_label && (
        <p class="hint">
          {nearestWords()} at each tap, nearest first. An orange corner marks those of another class than{" "}
          {called}.
        </p>
      )}
    </>
  );
}

function nearestWords(): string {
  const { count = 0, of = 0 } = manifest.neighbors ?? {};
  return count < of ? `The ${count} nearest of the ${of} training images that vote` : `The ${of} training images that vote`;
}

function Vote({ vote, reference }: { vote: number; reference: number }) {
  const name = manifest.classes[vote] ?? "not known";
  return (
    <span class={vote === reference ? "vote" : "vote differs"} title={`votes for ${name}`}>
      <i class="swatch" style={`background:${classPalette.value[vote]}`} />
      <span>{name}</span>
      {vote !== reference && <span class="unseen"> (another class)</span>}
    </span>
  );
}

function Nearest({ rows, reference }: { rows: Neighbors; reference: number }) {
  if (rows === null) return <span class="nearest waiting">…</span>;
  if (!rows.length) return null;
  return (
    <span class="nearest" role="list" aria-label="Nearest training images">
      {Array.from(rows, (base, place) => (
        <Neighbor key={place} base={base} reference={reference} />
      ))}
    </span>
  );
}

function Neighbor({ base, reference }: { base: number; reference: number }) {
  const label = baseLabels.value?.[base];
  const differs = label !== undefined && label !== reference;
  const words = label === undefined ? `training image ${base}` : manifest.classes[label];
  return (
    <span class={differs ? "neighbor differs" : "neighbor"} role="listitem" title={words} data-base={base}>
      <Picture
        of={manifest.base_pictures}
        place={base}
        size={isNarrow() ? 32 : 24}
        words={differs ? `${words}, another class` : words}
      />
    </span>
  );
}
