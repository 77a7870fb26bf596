/** Scores of one example, each with its direction and its place among all. */

import { rankOf, valueAt, wholeBins, wordsAt, type Field } from "../columns";
import { field } from "../derived";
import type { Column } from "../payload";
import { manifest } from "../state";
import { countWords } from "../words";

const GROUPS: { title: string; of: Column["group"][] }[] = [
  { title: "Scores", of: ["depth", "network", "training", "labels", "kinds"] },
  { title: "Factors it was drawn with", of: ["factors"] },
];

export function Scores({ row }: { row: number }) {
  return (
    <>
      {GROUPS.map(({ title, of }) => {
        const fields = manifest.columns
          .filter((column) => of.includes(column.group) && (column.kind === "number" || column.kind === "whole") && column.range)
          .map(({ name }) => field(name));
        const known = fields.filter((one) => one !== null);
        return known.length > 0 && <ScoreTable key={title} title={title} fields={known} row={row} />;
      })}
    </>
  );
}

function ScoreTable({ title, fields, row }: { title: string; fields: Field[]; row: number }) {
  return (
    <section>
      <h3>{title}</h3>
      <table class="scores">
        <thead class="unseen">
          <tr>
            <th scope="col">Score</th>
            <th scope="col">Value</th>
            <th scope="col">Among all</th>
            <th scope="col">Place</th>
          </tr>
        </thead>
        <tbody>
          {fields.map((one) => (
            <tr key={one.column.name}>
              <th scope="row" title={one.column.about}>
                {one.column.title}
                {one.column.direction && <small>{one.column.direction}</small>}
              </th>
              <td class="number">{wordsAt(one, row)}</td>
              <td class="spark-cell">
                <Spark field={one} row={row} />
              </td>
              <td class="rank">
                <Place field={one} row={row} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Place({ field: of, row }: { field: Field; row: number }) {
  const rank = rankOf(of, row);
  if (!rank) return <>–</>;
  const end = of.column.direction ? "hardest" : "largest";
  const first = rank.beyond + 1;
  return (
    <>
      {rank.same > 1 ? `${countWords(first)}–${countWords(rank.beyond + rank.same)}` : countWords(first)}
      <small>
        of {countWords(rank.of)}, 1 {end}
      </small>
    </>
  );
}

const BINS = 30;
const HEIGHT = 20;

/** All examples as small bars, and a mark where this one stands. */
function Spark({ field: of, row }: { field: Field; row: number }) {
  const { counts, low, high } = wholeBins(of, BINS);
  const own = valueAt(of, row);
  const most = Math.max(1, ...counts);
  const share = own === null || high <= low ? null : (own - low) / (high - low);
  const bars = Array.from(
    counts,
    (count, place) =>
      `M${3 * place} ${HEIGHT}v${-(count && Math.max(1, Math.sqrt(count / most) * (HEIGHT - 4)))}h2.4V${HEIGHT}z`,
  ).join("");
  return (
    <svg class="spark" viewBox={`0 0 ${3 * BINS} ${HEIGHT}`} width={3 * BINS} height={HEIGHT} aria-hidden="true">
      <path d={bars} />
      {share !== null && <path class="mark" d={`M${1.2 + share * (3 * BINS - 3)} 0V${HEIGHT}`} />}
    </svg>
  );
}
