/** The examples as a table: the twin of the map in words. Only lines near the part that is looked at are in the page. */

import { useSignal } from "@preact/signals";
import { useEffect, useId } from "preact/hooks";
import { openStory, sortBy, toggleSelected } from "../actions";
import { valueAt, wordsAt, type Field } from "../columns";
import { field, ids, idOf, listed, selectedMask } from "../derived";
import { address, manifest, part, row as openRow } from "../state";
import { linesInView, scrollFor } from "../virtual";
import { Picture } from "./Picture";
import { useScrolled } from "./scrolled";

const LINE = 36;
const columns = part("columns");

export function Table() {
  const scrolled = useScrolled();
  const at = useSignal(0);
  const id = useId();
  const rows = listed.value;
  const fields = columns.value.map(field).filter((one) => one !== null);
  const { first, end } = linesInView(scrolled.top.value, scrolled.height.value, LINE, rows.length, 8);
  const { value: open } = openRow;
  const show = (place: number) => {
    const box = scrolled.element.current!;
    at.value = place;
    box.scrollTop = scrollFor(place, box.scrollTop, scrolled.height.value, LINE, LINE);
  };
  useEffect(() => {
    const place = open === null ? -1 : rows.indexOf(open);
    if (place >= 0) show(place);
  }, [open, rows, scrolled.height.value > 0]);
  const active = Math.min(at.value, rows.length - 1);
  const onKeyDown = (event: KeyboardEvent) => {
    if ((event.target as HTMLElement).closest("button")) return;
    const page = Math.max(1, Math.floor(scrolled.height.value / LINE) - 2);
    const by = { ArrowUp: -1, ArrowDown: 1, PageUp: -page, PageDown: page, Home: -rows.length, End: rows.length }[
      event.key
    ];
    if (by !== undefined) show(Math.max(0, Math.min(rows.length - 1, active + by)));
    else if (event.key === "Enter" && rows.length) openStory(rows[active]);
    else if (event.key === " " && rows.length) toggleSelected(rows[active]);
    else return;
    event.preventDefault();
  };
  const inPage = active >= first && active < end;
  return (
    <div class="table-box" ref={scrolled.element} onScroll={scrolled.onScroll} data-count={rows.length}>
      <table
        role="grid"
        aria-label="Examples"
        aria-multiselectable="true"
        aria-rowcount={rows.length + 1}
        aria-colcount={fields.length + 2}
        tabIndex={0}
        aria-activedescendant={inPage && rows.length ? `${id}-${active}` : undefined}
        onKeyDown={onKeyDown}
      >
        <Head fields={fields} />
        <tbody>
          <Gap lines={first} columns={fields.length + 2} />
          {Array.from(rows.subarray(first, end), (row, place) => (
            <Line
              key={row}
              id={`${id}-${first + place}`}
              row={row}
              number={first + place}
              fields={fields}
              active={first + place === active}
            />
          ))}
          <Gap lines={rows.length - end} columns={fields.length + 2} />
        </tbody>
      </table>
      {rows.length === 0 && <p class="empty">No example is left. Remove a filter to see more.</p>}
    </div>
  );
}

function Gap({ lines, columns }: { lines: number; columns: number }) {
  if (lines <= 0) return null;
  return (
    <tr class="gap" aria-hidden="true">
      <td colSpan={columns} style={`height:${lines * LINE}px`} />
    </tr>
  );
}

function Head({ fields }: { fields: Field[] }) {
  return (
    <thead>
      <tr aria-rowindex={1}>
        <th scope="col" class="thumb">
          <span class="unseen">Picture</span>
        </th>
        <SortHead name="id" title="Id" />
        {fields.map(({ column }, place) => (
          <SortHead
            key={column.name}
            name={column.name}
            title={column.title}
            about={column.about}
            number={isNumber(fields[place])}
          />
        ))}
      </tr>
    </thead>
  );
}

function SortHead({
  name,
  title,
  about,
  number = false,
}: {
  name: string;
  title: string;
  about?: string;
  number?: boolean;
}) {
  const { sort, descending } = address.value;
  const own = sort === name;
  const order = own ? (descending ? "descending" : "ascending") : "none";
  return (
    <th scope="col" aria-sort={order} class={number ? "number" : ""}>
      <button class="sort" title={about} onClick={() => sortBy(name)}>
        {title}
        <span aria-hidden="true">{own ? (descending ? " ↓" : " ↑") : ""}</span>
      </button>
    </th>
  );
}

interface LineProps {
  id: string;
  row: number;
  number: number;
  fields: Field[];
  active: boolean;
}

function Line({ id, row, number, fields, active }: LineProps) {
  const selected = selectedMask.value[row] === 1;
  const kind = [active && "active", selected && "selected", openRow.value === row && "open"].filter(Boolean).join(" ");
  const onClick = (event: MouseEvent) =>
    event.ctrlKey || event.metaKey || event.shiftKey ? toggleSelected(row) : openStory(row);
  return (
    <tr id={id} class={kind} aria-rowindex={number + 2} aria-selected={selected} data-row={row} onClick={onClick}>
      <td class="thumb">
        <Picture
          of={manifest.pictures}
          place={row}
          size={28}
          words={ids.value ? `Picture of ${idOf(row)}` : "Picture"}
        />
      </td>
      <th scope="row">{idOf(row)}</th>
      {fields.map((one) => (
        <Value key={one.column.name} of={one} row={row} />
      ))}
    </tr>
  );
}

/** Values with names of their own are words. */
function isNumber({ column, choices }: Field): boolean {
  return (
    column.kind === "number" || (column.kind === "whole" && (!choices || choices[0] === String(column.range?.[0])))
  );
}

function Value({ of, row }: { of: Field; row: number }) {
  const number = isNumber(of);
  if (valueAt(of, row) === null) return <td class={number ? "number unknown" : "unknown"}>–</td>;
  const wrong = of.column.name === "correct" && of.values[row] === 0;
  return <td class={number ? "number" : wrong ? "wrong" : ""}>{wrong ? `✕ ${wordsAt(of, row)}` : wordsAt(of, row)}</td>;
}
