/** What the colours mean; a click on a class shows only it, a brush over numbers only those. */

import { coloring } from "../coloring";
import { countBins, type Field } from "../columns";
import { maskWithout } from "../derived";
import { areTold } from "../palette";
import { numberWords } from "../words";
import { BrushedHistogram } from "./Histogram";
import { UnknownValue, Values } from "./Values";

export function Legend() {
  const colors = coloring.value;
  if (!colors) return <aside class="legend" aria-label="Legend" />;
  const { field } = colors;
  return (
    <aside class="legend" aria-label="Legend" data-column={field.column.name}>
      <h2>{field.column.title}</h2>
      <p class="about">{field.column.about}</p>
      {field.choices ? <Values field={field} /> : <Scale field={field} limits={colors.limits!} />}
      <p class="hint">
        {field.choices ? hintOf(field) : "Drag over the bars to show only these. Heights are square roots of counts."}
      </p>
    </aside>
  );
}

function hintOf({ choices, ordered }: Field): string {
  const click = "Click: only this. Shift-click: this too.";
  return ordered || areTold(choices!.length) ? click : `${click} So many share colours: go by the names.`;
}

function Scale({ field, limits }: { field: Field; limits: [number, number] }) {
  const { unknown, low, high } = countBins(field, maskWithout(field.column.name), 1);
  const cut = limits[0] > low || limits[1] < high;
  return (
    <>
      <BrushedHistogram field={field} />
      {cut && (
        <p class="hint">
          Colours end at {numberWords(limits[0])} and {numberWords(limits[1])}: few values lie beyond.
        </p>
      )}
      <UnknownValue column={field.column.name} count={unknown} />
    </>
  );
}
