/** What lies under the pointer: picture, id, the coloured value. */

import type { Signal } from "@preact/signals";
import { coloring } from "../coloring";
import { valueAt, wordsAt } from "../columns";
import { field, idOf } from "../derived";
import { UNKNOWN_COLOR } from "../scatter/palette";
import { manifest } from "../state";
import { Picture } from "./Picture";

export interface Hovered {
  row: number;
  x: number;
  y: number;
}

export function HoverCard({ hovered }: { hovered: Signal<Hovered | null> }) {
  if (!hovered.value) return null;
  const { row, x, y } = hovered.value;
  const by = coloring.value;
  const [label, prediction] = [field("label"), field("prediction")];
  const wrong = field("correct")?.values[row] === 0;
  return (
    <div class="hover-card" style={`translate:${Math.round(x)}px ${Math.round(y)}px`} data-row={row} ref={turned}>
      <Picture of={manifest.pictures} place={row} size={72} row={row} />
      <div>
        <b>{idOf(row)}</b>
        {by && by.field !== label && label && <span>{wordsAt(label, row)}</span>}
        {wrong && prediction && by?.field !== prediction && <span>✕ predicted {wordsAt(prediction, row)}</span>}
        {by && (
          <span>
            <i class="swatch" style={`background:${by.palette[by.codes[row]] ?? UNKNOWN_COLOR}`} />
            {by.field.choices
              ? wordsAt(by.field, row)
              : `${by.field.column.title} ${valueAt(by.field, row) === null ? "not known" : wordsAt(by.field, row)}`}
          </span>
        )}
      </div>
    </div>
  );
}

/** Away from the edge that it would cross. */
function turned(card: HTMLElement | null): void {
  const parent = card?.parentElement;
  if (!card || !parent) return;
  const [x, y] = card.style.translate.split(" ").map(parseFloat);
  card.style.marginLeft = x + card.offsetWidth + 16 > parent.clientWidth ? `${-card.offsetWidth - 12}px` : "12px";
  card.style.marginTop = y + card.offsetHeight + 16 > parent.clientHeight ? `${-card.offsetHeight - 12}px` : "12px";
}
