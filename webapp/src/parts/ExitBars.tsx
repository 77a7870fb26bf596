/** Where the example leaves the network, and how sure each exit is. */

import { rowOf, type Numbers } from "../arrays";
import { valueAt } from "../columns";
import { field } from "../derived";
import type { Exits } from "../payload";
import { manifest, store } from "../state";
import { confidenceWords } from "../words";
import { MissingPart } from "./Missing";

export function ExitBars({ row }: { row: number }) {
  const { exits } = manifest;
  if (!exits) return null;
  const column = exits.column ? field(exits.column) : null;
  const taken = column && valueAt(column, row);
  const all = store.numbers(exits.confidence);
  const shares = all && rowOf(all, row, exits.names.length);
  const known = shares?.some((share: number) => share >= 0) ?? false;
  return (
    <section>
      <h3>Exits</h3>
      {known && <Bars names={exits.names} shares={shares!} taken={taken} />}
      <p class="hint">{exitWords(exits, known, taken)}</p>
      {known && taken === null && <MissingPart part="thresholds" />}
    </section>
  );
}

function Bars({ names, shares, taken }: { names: string[]; shares: Numbers; taken: number | null }) {
  return (
    <ol class="exits">
      {names.map((name, place) => (
        <li key={name} class={place === taken ? "taken" : taken !== null && place > taken ? "not-run" : ""}>
          <span class="name" title={name}>
            {name}
          </span>
          <span class="bar-of" style={`--share:${shares[place] >= 0 ? shares[place] : 0}`} />
          <span class="share">{Number.isNaN(shares[place]) ? "–" : confidenceWords(shares[place])}</span>
          <span class="note">{place === taken ? "leaves here" : ""}</span>
        </li>
      ))}
    </ol>
  );
}

const POLICIES: Record<string, string> = {
  entropy: "An image leaves at the first exit whose entropy is below a threshold.",
  probability: "An image leaves at the first exit whose confidence is above a threshold.",
  margin: "An image leaves at the first exit whose margin is above a threshold.",
  patience: "An image leaves once enough exits in a row agree.",
};

function exitWords({ names, policy, split }: Exits, known: boolean, taken: number | null): string {
  if (known) return `The bars are the confidence of each exit. ${POLICIES[policy] ?? `The policy is ${policy}.`}`;
  if (taken !== null) return `It leaves at ${names[taken]}; how sure each exit is was not kept.`;
  return `Of this image the exits are not known: they were evaluated on images of the ${split} split.`;
}
