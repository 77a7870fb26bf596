/** Where the example leaves the network, and how sure each exit is. */

import { rowOf } from "../arrays";
import { valueAt } from "../columns";
import { field } from "../derived";
import { manifest, store } from "../state";
import { confidenceWords } from "../words";

export function ExitBars({ row }: { row: number }) {
  const { exits } = manifest;
  if (!exits) return null;
  const column = exits.column ? field(exits.column) : null;
  const taken = column && valueAt(column, row);
  const all = store.numbers(exits.confidence);
  const shares = all && rowOf(all, row, exits.names.length);
  return (
    <section>
      <h3>Exits</h3>
      <ol class="exits">
        {exits.names.map((name, place) => (
          <li key={name} class={place === taken ? "taken" : taken !== null && place > taken ? "not-run" : ""}>
            <span class="name">{name}</span>
            <span class="bar-of" style={`--share:${shares && shares[place] >= 0 ? shares[place] : 0}`} />
            <span class="share">{shares && !Number.isNaN(shares[place]) ? confidenceWords(shares[place]) : "–"}</span>
            <span class="note">{place === taken ? "leaves here" : ""}</span>
          </li>
        ))}
      </ol>
      <p class="hint">
        Confidence at each exit. {exits.policy}
        {taken === null && " Which exit it takes is not known."}
      </p>
    </section>
  );
}
