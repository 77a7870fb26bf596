/** The votes of all probes as a strip, the depth in words. */

import { classPalette } from "../coloring";
import { manifest } from "../state";

interface VotesProps {
  votes: ArrayLike<number>;
  /** 0 to L; L is unresolved. */
  depth: number;
  reference: number;
  /** What the reference is, in words. */
  called?: string;
}

export function Votes({ votes, depth, reference, called = manifest.reference }: VotesProps) {
  const { taps, classes } = manifest;
  return (
    <>
      <p class="decided">{depthWords(depth, reference, called)}</p>
      <div
        class="strip"
        role="img"
        aria-label={`Votes from ${taps[0].name} to ${taps[taps.length - 1].name}: ${Array.from(votes, (vote) => classes[vote]).join(", ")}`}
      >
        {Array.from(votes, (vote, tap) => (
          <i
            key={tap}
            class={`${vote === reference ? "agrees" : "differs"}${tap >= depth ? " settled" : ""}`}
            style={`background:${classPalette.value[vote]}`}
            title={`${taps[tap].name}: ${classes[vote]}`}
          />
        ))}
      </div>
    </>
  );
}

function depthWords(depth: number, reference: number, called: string): string {
  const { taps, classes } = manifest;
  const name = `${classes[reference] ?? "not known"}, ${called}`;
  if (depth >= taps.length)
    return `Prediction depth ${depth}, unresolved: the last probe does not vote for ${name}.`;
  if (depth === 0) return `Prediction depth 0, decided at the first tap, ${taps[0].name}: every probe votes for ${name}.`;
  return `Prediction depth ${depth}, decided at ${taps[depth].name}: from there on every probe votes for ${name}.`;
}
