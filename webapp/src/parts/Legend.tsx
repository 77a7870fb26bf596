/** What the colours mean; a click on a class shows only it, a brush over numbers only those. */

import { coloring } from "../coloring";
import { countBins, type Field } from "../columns";
import { maskWithout } from "../derived";
import { areTold } from "../palette";
import { numberWords } from "../words";
import { BrushedHistogram } from "./Histogram";
import { MissingPart } from "./Missing";
import { UnknownValue, Values } from "./Values";

export function Legend() {
  const colors = coloring.value;
  if (!colors) return <aside class="legend" aria-label="Legend" />;
  const { field } = colors;
  return (
    <aside class="legend" aria-label="Legend" data-column={field.column.name}>
      <h2>{field.column.title}</h2>
      <p class="about">{field.column.about}</p>
      {field.column.range ? <Known field={field} limits={colors.limits} /> : <NoneKnown field={field} />}
    </aside>
  );
}

function Known({ field, limits }: { field: Field; limits: [number, number] | null }) {
  return (
    <>
      {field.choices ? <Values field={field} /> : <Scale field={field} limits={limits!} />}
      <p class="hint">
        {field.choices ? hintOf(field) : "Drag over the bars to show only these. Heights are square roots of counts."}
      </p>
    </>
  );
}

function NoneKnown({ field }: { field: Field }) {
  const isOfTraining = ["training", "labels", "kinds"].includes(field.column.group);
  return (
    <>
      <p>Known of 0 images.</p>
      {isOfTraining && <MissingPart part="training images" />}
    </>
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
