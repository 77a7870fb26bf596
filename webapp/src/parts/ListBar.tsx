/** Above grid and table: what is listed, in which order; and what can be done with the selection. */

import { clearSelection, keepSelected, say, sortBy } from "../actions";
import { SIZES } from "../address";
import { copy, csvOf, download } from "../csv";
import { field, ids, listed, shownCount } from "../derived";
import { address, go, manifest, selected, tab } from "../state";
import { counted, countWords } from "../words";
import { Choose, columnChoices } from "./Choose";
import { Icon } from "./icons";
import { Popover } from "./Popover";

export function ListBar() {
  const { sort, descending, size } = address.value;
  const orders = [{ value: "", title: "Given order" }, { value: "id", title: "Id" }, ...columnChoices()];
  return (
    <div class="bar list-bar">
      <Scope />
      <Choose
        name="Sort"
        value={sort}
        choices={orders}
        onChoose={(name) => (name ? sortBy(name) : go({ sort: "", descending: false }))}
        shortcut="sort"
      />
      {sort && (
        <button
          class="button square"
          aria-label={descending ? "Largest first; turn the order" : "Smallest first; turn the order"}
          title="Turn the order"
          onClick={() => go({ descending: !descending })}
        >
          {descending ? "↓" : "↑"}
        </button>
      )}
      {tab.value === "table" ? (
        <TableColumns />
      ) : (
        <label class="size">
          <span class="unseen">Size of the pictures</span>
          <input
            type="range"
            title="Size of the pictures"
            min={SIZES.least}
            max={SIZES.most}
            step={4}
            value={size}
            onInput={(event) => go({ size: Number(event.currentTarget.value) }, "replace")}
          />
        </label>
      )}
      <Take />
    </div>
  );
}

/** The selected, or all that are shown. */
function Scope() {
  const count = selected.value.length;
  if (!count) return <span class="listed">{counted(listed.value.length, "example")}</span>;
  const { scope } = address.value;
  return (
    <>
      <div class="segments" role="group" aria-label="Listed">
        <button aria-pressed={scope === "selected"} onClick={() => go({ scope: "selected" })}>
          Selected {countWords(count)}
        </button>
        <button aria-pressed={scope === "shown"} onClick={() => go({ scope: "shown" })}>
          Shown {countWords(shownCount.value)}
        </button>
      </div>
      <button class="plain" onClick={keepSelected} title="The selection becomes a filter">
        Filter to these
      </button>
      <button class="plain" onClick={clearSelection}>
        Clear
      </button>
    </>
  );
}

/** Columns of the table: any, in the order of the run. */
function TableColumns() {
  const label = (
    <>
      <Icon name="columns" />
      <span>Columns</span>
    </>
  );
  const { columns } = address.value;
  const turn = (name: string) => {
    const wanted = columns.includes(name) ? columns.filter((one) => one !== name) : [...columns, name];
    go({ columns: manifest.columns.map((column) => column.name).filter((one) => wanted.includes(one)) });
  };
  return (
    <Popover label={label} name="Columns of the table">
      {() => (
        <fieldset class="checks">
          <legend class="unseen">Columns of the table</legend>
          {columnChoices().map(({ value, title, about }) => (
            <label key={value} title={about}>
              <input type="checkbox" checked={columns.includes(value)} onChange={() => turn(value)} />
              {title}
            </label>
          ))}
        </fieldset>
      )}
    </Popover>
  );
}

/** Take what is listed away: as CSV with all columns, as ids. */
function Take() {
  return (
    <Popover label={<Icon name="download" />} name="Take away what is listed" kind="button square" align="right">
      {(close) => (
        <div class="options" onClick={close}>
          <p class="quiet">{counted(listed.value.length, "example")} as listed</p>
          <button class="option" onClick={copyIds}>
            Copy ids
          </button>
          <button class="option" onClick={() => download("ids.txt", `${listedIds().join("\n")}\n`, "text/plain")}>
            Ids as text
          </button>
          <button class="option" onClick={() => download("examples.csv", asCsv(), "text/csv")}>
            All columns as CSV
          </button>
        </div>
      )}
    </Popover>
  );
}

function listedIds(): string[] {
  return Array.from(listed.value, (row) => ids.value?.[row] ?? "");
}

async function copyIds(): Promise<void> {
  const all = listedIds();
  say(
    (await copy(all.join("\n")))
      ? `${counted(all.length, "id")} copied`
      : "The clipboard cannot be written; take the ids as text instead.",
  );
}

function asCsv(): string {
  const fields = manifest.columns.map(({ name }) => field(name)!);
  return csvOf(listed.value, ids.value ?? [], fields);
}
