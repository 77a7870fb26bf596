/** Pictures of what is listed. Only those near the part that is looked at are in the page, of sixty thousand too. */

import { useSignal } from "@preact/signals";
import { useEffect, useId } from "preact/hooks";
import { openStory, toggleSelected } from "../actions";
import { field, idOf, listed, selectedMask } from "../derived";
import { manifest, row as openRow, scope, size } from "../state";
import { columnsFor, linesInView, scrollFor } from "../virtual";
import { wordsAt } from "../columns";
import { Picture } from "./Picture";
import { useScrolled, type Scrolled } from "./scrolled";

const GAP = 6;
const FRAME = 4;

export function Grid() {
  if (listed.value.length) return <Cells />;
  return <p class="empty">No example is left. Remove a filter to see more.</p>;
}

function Cells() {
  const scrolled = useScrolled();
  const at = useSignal(0);
  const id = useId();
  const rows = listed.value;
  const cell = size.value + FRAME;
  const columns = columnsFor(scrolled.width.value - 2 * GAP, cell, GAP);
  const pitch = cell + GAP;
  // What is left of the width goes between the columns.
  const across = columns > 1 ? (scrolled.width.value - 2 * GAP - cell) / (columns - 1) : pitch;
  const lines = linesInView(scrolled.top.value, scrolled.height.value, pitch, Math.ceil(rows.length / columns));
  useShown(rows, at, scrolled, columns, pitch);
  const shown = Array.from(rows.subarray(lines.first * columns, lines.end * columns));
  const active = Math.min(at.value, rows.length - 1);
  const inPage = active >= lines.first * columns && active < lines.end * columns;
  const move = (event: KeyboardEvent) => {
    const next = moved(event, active, columns, Math.max(1, Math.floor(scrolled.height.value / pitch)), rows.length);
    if (next === null) return acted(event, rows[active]);
    event.preventDefault();
    at.value = next;
    show(next, scrolled, columns, pitch);
  };
  return (
    <div
      class="grid"
      ref={scrolled.element}
      onScroll={scrolled.onScroll}
      role="listbox"
      aria-multiselectable="true"
      aria-label="Pictures"
      aria-activedescendant={inPage ? `${id}-${rows[active]}` : undefined}
      tabIndex={0}
      onKeyDown={move}
      data-count={rows.length}
    >
      <div class="space" role="presentation" style={`height:${Math.ceil(rows.length / columns) * pitch + GAP}px`}>
        {shown.map((row, place) => {
          const number = lines.first * columns + place;
          const [line, column] = [Math.floor(number / columns), number % columns];
          return (
            <Cell
              key={row}
              id={`${id}-${row}`}
              row={row}
              place={number}
              of={rows.length}
              active={number === active}
              open={row === openRow.value}
              style={`translate:${Math.floor(GAP + column * Math.min(across, 1.5 * pitch))}px ${GAP + line * pitch}px`}
            />
          );
        })}
      </div>
    </div>
  );
}

/** The example whose story is open is in view; another list begins at its top. */
function useShown(rows: Uint32Array, at: { value: number }, scrolled: Scrolled, columns: number, pitch: number): void {
  const { value: row } = openRow;
  // Behind a story the grid has no height, and a browser forgets how far it was scrolled.
  const visible = scrolled.height.value > 0;
  useEffect(() => {
    if (row === null) at.value = 0;
  }, [rows]);
  useEffect(() => {
    const place = row === null ? -1 : rows.indexOf(row);
    if (place >= 0) at.value = place;
    if (visible) show(at.value, scrolled, columns, pitch);
  }, [row, rows, visible, columns]);
}

function show(place: number, { element, height }: Scrolled, columns: number, pitch: number): void {
  const box = element.current;
  if (box) box.scrollTop = scrollFor(Math.floor(place / columns), box.scrollTop, height.value, pitch, GAP);
}

function moved({ key }: KeyboardEvent, at: number, columns: number, page: number, count: number): number | null {
  const by = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columns,
    ArrowDown: columns,
    PageUp: -columns * page,
    PageDown: columns * page,
    Home: -count,
    End: count,
  }[key];
  if (by === undefined) return null;
  return Math.max(0, Math.min(count - 1, at + by));
}

function acted(event: KeyboardEvent, row: number): void {
  if (event.key === "Enter") openStory(row);
  else if (event.key === " ") toggleSelected(row);
  else return;
  event.preventDefault();
}

interface CellProps {
  id: string;
  row: number;
  place: number;
  of: number;
  active: boolean;
  open: boolean;
  style: string;
}

function Cell({ id, row, place, of, active, open, style }: CellProps) {
  const correct = field("correct");
  const wrong = correct?.values[row] === 0;
  const selected = selectedMask.value[row] === 1;
  const side = size.value + FRAME;
  // Where only the selected are listed, marks on all of them would say nothing.
  const marked = selected && scope.value === "shown";
  const kind = ["cell", wrong && "wrong", active && "active", marked && "selected", open && "open"]
    .filter(Boolean)
    .join(" ");
  const onClick = (event: MouseEvent) =>
    event.ctrlKey || event.metaKey || event.shiftKey ? toggleSelected(row) : openStory(row);
  return (
    <div
      class={kind}
      id={id}
      role="option"
      aria-selected={selected}
      aria-posinset={place + 1}
      aria-setsize={of}
      aria-label={cellWords(row, wrong)}
      style={`${style};width:${side}px;height:${side}px`}
      title={cellWords(row, wrong)}
      onClick={onClick}
      data-row={row}
    >
      <Picture of={manifest.pictures} place={row} size={size.value} />
      {wrong && <i class="cross" />}
      {marked && <i class="tick" />}
    </div>
  );
}

function cellWords(row: number, wrong: boolean): string {
  const [label, prediction] = [field("label"), field("prediction")];
  const words = label ? wordsAt(label, row) : "";
  return `${idOf(row)}: ${words}${wrong && prediction ? `, predicted ${wordsAt(prediction, row)}` : ""}`;
}
