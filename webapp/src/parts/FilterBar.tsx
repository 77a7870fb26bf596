/** Search, filters as chips, and how many of how many they leave. */

import { useComputed, useSignal } from "@preact/signals";
import { openFirst, removeFilter, setFilter } from "../actions";
import { COLUMNS } from "../address";
import { countBins, wordsOf, type Field } from "../columns";
import { drawnCount, field, maskWithout, points, shownCount } from "../derived";
import { columnOf, type Clause } from "../filters";
import { address, filters, go, manifest, method, selected, tab } from "../state";
import { counted, countWords, numberWords } from "../words";
import { columnChoices, List, titleOf } from "./Choose";
import { BrushedHistogram } from "./Histogram";
import { Icon } from "./icons";
import { MissingPart } from "./Missing";
import { Popover } from "./Popover";
import { UnknownValue, Values } from "./Values";

export function FilterBar() {
  return (
    <section class="filters" aria-label="Filters">
      <Search />
      <AddFilter />
      <ul class="chips" aria-label="Filters that are set">
        {filters.value.map((clause, place) =>
          clause.kind === "text" ? null : (
            <Chip key={`${clause.kind}${columnOf(clause)}`} clause={clause} place={place} />
          ),
        )}
      </ul>
      {filters.value.length > 0 && (
        <button class="plain" onClick={() => go({ filters: [] })}>
          Clear all
        </button>
      )}
      <Counts />
    </section>
  );
}

function Search() {
  const text = useComputed(() => filters.value.find((clause) => clause.kind === "text")?.text ?? "");
  const onInput = (event: InputEvent) => {
    const typed = (event.currentTarget as HTMLInputElement).value;
    const others = address.value.filters.filter((clause) => clause.kind !== "text");
    const how = text.value ? "replace" : "push";
    go({ filters: typed.trim() ? [...others, { kind: "text", text: typed }] : others }, how);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && text.value) openFirst();
  };
  return (
    <div class="search">
      <Icon name="search" />
      <input
        class="field"
        type="search"
        placeholder="Id or class"
        aria-label="Search ids and class names"
        data-shortcut="search"
        value={text}
        onInput={onInput}
        onKeyDown={onKeyDown}
      />
    </div>
  );
}

function AddFilter() {
  const label = (
    <>
      <Icon name="plus" />
      <span>Filter</span>
    </>
  );
  return (
    <Popover label={label} name="Add a filter" shortcut="filter">
      {(close) => <NewFilter done={close} />}
    </Popover>
  );
}

function NewFilter({ done }: { done: () => void }) {
  const column = useSignal("");
  if (column.value) return <ColumnFilter column={column.value} done={done} />;
  return (
    <>
      <List name="Column" value="" choices={columnChoices()} onChoose={(name) => (column.value = name)} />
      <MissingPart part="training images" />
    </>
  );
}

function ColumnFilter({ column, done }: { column: string; done: () => void }) {
  const of = field(column);
  return (
    <div class="editor">
      <header>
        <h2>{titleOf(column)}</h2>
        <button class="plain" ref={focusOnce} onClick={done}>
          Done
        </button>
      </header>
      <p class="about">{of?.column.about}</p>
      {of && (of.choices ? <Values field={of} colored={false} /> : <Between field={of} />)}
    </div>
  );
}

function focusOnce(button: HTMLElement | null): void {
  button?.focus({ preventScroll: true });
}

function Between({ field: of }: { field: Field }) {
  const { name, title } = of.column;
  const clause = filters.value.find((one) => one.kind === "within" && one.column === name);
  const { low, high, unknown } = countBins(of, maskWithout(name), 1);
  const range = clause?.kind === "within" ? [clause.low, clause.high] : [low, high];
  const set = (end: 0 | 1, words: string) => {
    const value = Number(words);
    if (words === "" || !Number.isFinite(value)) return;
    const [from, to] = end ? [range[0], value] : [value, range[1]];
    setFilter(name, { kind: "within", column: name, low: Math.min(from, to), high: Math.max(from, to) });
  };
  return (
    <>
      <BrushedHistogram field={of} />
      <div class="between">
        {[0, 1].map((end) => (
          <input
            key={end}
            class="field"
            type="number"
            step="any"
            aria-label={`${title} ${end ? "to" : "from"}`}
            value={Number(range[end].toPrecision(5))}
            onChange={(event) => set(end as 0 | 1, event.currentTarget.value)}
          />
        ))}
      </div>
      <UnknownValue column={name} count={unknown} />
    </>
  );
}

function Chip({ clause, place }: { clause: Clause; place: number }) {
  const words = chipWords(clause);
  const column = columnOf(clause);
  return (
    <li class="chip">
      {column ? (
        <Popover label={<span class="text">{words}</span>} name={`Filter: ${words}`} kind="plain">
          {(close) => <ColumnFilter column={column} done={close} />}
        </Popover>
      ) : (
        <span class="text">{words}</span>
      )}
      <button class="remove" aria-label={`Remove the filter ${words}`} onClick={() => removeFilter(place)}>
        <Icon name="close" />
      </button>
    </li>
  );
}

/** So many values are named; of more, how many. */
const NAMED = 3;

function chipWords(clause: Clause): string {
  if (clause.kind === "text") return `“${clause.text}”`;
  if (clause.kind === "rows") return counted(clause.rows.length, "picked example");
  const title = titleOf(clause.column);
  if (clause.kind === "within") return `${title}: ${numberWords(clause.low)} to ${numberWords(clause.high)}`;
  const of = field(clause.column);
  const names = clause.values.map((value) => (value === null ? "not known" : of ? wordsOf(of, value) : String(value)));
  return `${title}: ${names.length > NAMED ? `${names.length} of ${of?.choices?.length ?? "many"}` : names.join(", ")}`;
}

/** Nothing is left out silently: how many are shown, how many of them have a place on the map. */
export function Counts() {
  const shown = shownCount.value;
  const all = manifest.count;
  const onMap = tab.value === "map" && points.value ? drawnCount.value : null;
  return (
    <div class="counts" data-shown={shown} data-drawn={onMap ?? undefined} data-selected={selected.value.length}>
      <b>{countWords(shown)}</b>
      {shown < all ? ` of ${counted(all, "example")} shown` : ` ${all === 1 ? "example" : "examples"}, all shown`}
      {onMap !== null && onMap < shown && (
        <>
          {" · "}
          <NotDrawn count={shown - onMap} />
        </>
      )}
      {selected.value.length > 0 && ` · ${countWords(selected.value.length)} selected`}
    </div>
  );
}

/** How many the map leaves out; of a map of a tap with what puts them on it. */
function NotDrawn({ count }: { count: number }) {
  const words = `${countWords(count)} ${notDrawn(count)}`;
  const isLacking = method.value !== COLUMNS && manifest.missing.some(({ part }) => part === PLACES);
  if (!isLacking) return <span class="missing">{words}</span>;
  return (
    <Popover label={words} name={`${words}: how to put them there`} kind="missing link" align="right">
      {() => <MissingPart part={PLACES} />}
    </Popover>
  );
}

const PLACES = "places on the maps";

function notDrawn(count: number): string {
  if (method.value === COLUMNS) return count === 1 ? "has no value" : "have no value";
  return "not on the maps";
}
