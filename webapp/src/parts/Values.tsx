/** The values of a column with their counts; a click shows only this one, with Shift this one too. */

import { useSignal } from "@preact/signals";
import { isolate } from "../actions";
import { choiceColors } from "../coloring";
import { countChoices, type Field } from "../columns";
import { maskWithout } from "../derived";
import { UNKNOWN_COLOR } from "../scatter/palette";
import { filters } from "../state";
import { dark } from "../theme";
import { countWords } from "../words";

/** More values than this have a search above them. */
const MANY = 24;

export function Values({ field, colored = true }: { field: Field; colored?: boolean }) {
  const words = useSignal("");
  const choices = field.choices ?? [];
  const counts = countChoices(field, maskWithout(field.column.name));
  const only = allowedBy(field.column.name);
  const colors = colored ? choiceColors(field, dark.value) : [];
  const wanted = words.value.trim().toLowerCase();
  const places = choices
    .map((_, place) => place)
    .filter((place) => !wanted || choices[place].toLowerCase().includes(wanted));
  return (
    <div class="values">
      {choices.length > MANY && (
        <input
          class="field"
          placeholder={`Search ${countWords(choices.length)} values`}
          aria-label={`Search the values of ${field.column.title}`}
          value={words}
          onInput={(event) => (words.value = event.currentTarget.value)}
        />
      )}
      <ul>
        {places.map((place) => (
          <Entry
            key={place}
            column={field.column.name}
            value={field.first + place}
            name={choices[place]}
            count={counts[place]}
            color={colors[place]}
            only={only}
          />
        ))}
        {counts[choices.length] > 0 && (
          <Entry
            column={field.column.name}
            value={null}
            name="not known"
            count={counts[choices.length]}
            color={colored ? UNKNOWN_COLOR : undefined}
            only={only}
          />
        )}
      </ul>
    </div>
  );
}

function allowedBy(column: string): (number | null)[] | null {
  const clause = filters.value.find((one) => one.kind === "is" && one.column === column);
  return clause?.kind === "is" ? clause.values : null;
}

interface EntryProps {
  column: string;
  value: number | null;
  name: string;
  count: number;
  color?: string;
  only: (number | null)[] | null;
}

function Entry({ column, value, name, count, color, only }: EntryProps) {
  const pressed = only?.includes(value) ?? false;
  const add = (event: MouseEvent | KeyboardEvent) => event.shiftKey || event.ctrlKey || event.metaKey;
  const out = only !== null && !pressed;
  return (
    <li>
      <button
        class={`value${out ? " out" : ""}`}
        aria-pressed={pressed}
        title={name}
        onClick={(event) => isolate(column, value, add(event))}
      >
        {color && <i class="swatch" style={`background:${color}`} />}
        <span class="name">{name}</span>
        <span class="count">{countWords(count)}</span>
      </button>
    </li>
  );
}

/** For numbers on a scale: the rows whose value is not known. */
export function UnknownValue({ column, count }: { column: string; count: number }) {
  if (!count) return null;
  return (
    <ul class="values">
      <Entry
        column={column}
        value={null}
        name="not known"
        count={count}
        color={UNKNOWN_COLOR}
        only={allowedBy(column)}
      />
    </ul>
  );
}
