/** What was found out about an example: its kind of difficulty, and whether its label may be wrong. */

import { rankOf, valueAt, wordsAt } from "../columns";
import { field } from "../derived";
import { manifest } from "../state";
import { countWords, numberWords } from "../words";

/** Lines of the summary. */
export function Verdict({ row }: { row: number }) {
  const kinds = manifest.columns
    .filter(({ group, kind }) => (group === "kinds" || group === "labels") && kind === "category")
    .map(({ name }) => field(name));
  const suspicion = field("suspicion");
  const rank = suspicion && rankOf(suspicion, row);
  return (
    <>
      {kinds.map(
        (one) =>
          one &&
          valueAt(one, row) !== null && (
            <>
              <dt title={one.column.about}>{one.column.title}</dt>
              <dd>{wordsAt(one, row)}</dd>
            </>
          ),
      )}
      {suspicion && rank && (
        <>
          <dt title={suspicion.column.about}>{suspicion.column.title}</dt>
          <dd>
            {numberWords(suspicion.values[row])}{" "}
            <span class="quiet">
              place {countWords(rank.beyond + 1)} of {countWords(rank.of)}
            </span>
          </dd>
        </>
      )}
    </>
  );
}

/** Said aloud where another label is suggested, unless the label looks fine. */
export function Suspect({ row }: { row: number }) {
  const [suggested, label, kind] = ["suggested", "label", "label_kind"].map(field);
  if (kind && wordsAt(kind, row) === "fine") return null;
  if (!suggested || !label || valueAt(suggested, row) === null || valueAt(suggested, row) === valueAt(label, row))
    return null;
  return (
    <p class="suspect" title={suggested.column.about}>
      The label says <b>{wordsAt(label, row)}</b>; perhaps it should be <b>{wordsAt(suggested, row)}</b>.
    </p>
  );
}
