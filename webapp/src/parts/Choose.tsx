/** Choose one of many things by name: grouped, searched by typing, moved through by arrow keys. */

import { useComputed, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import type { Column } from "../payload";
import { manifest } from "../state";
import { Icon } from "./icons";
import { Popover } from "./Popover";

export interface Choice {
  value: string;
  title: string;
  about?: string;
  group?: string;
}

const GROUP_TITLES: Record<Column["group"], string> = {
  example: "Example",
  network: "Network",
  depth: "Depth",
  exits: "Exits",
  training: "Training",
  labels: "Labels",
  kinds: "Kinds of difficulty",
  factors: "Factors",
};

/** The run's columns, in the order of their groups. */
export function columnChoices(wanted: (column: Column) => boolean = () => true): Choice[] {
  const groups = Object.keys(GROUP_TITLES) as Column["group"][];
  return groups.flatMap((group) =>
    manifest.columns
      .filter((column) => column.group === group && wanted(column))
      .map(({ name, title, about }) => ({ value: name, title, about, group: GROUP_TITLES[group] })),
  );
}

export function titleOf(column: string): string {
  if (column === "") return "Given order";
  return column === "id" ? "Id" : (manifest.columns.find((one) => one.name === column)?.title ?? column);
}

interface ChooseProps {
  /** What is chosen: "Colour". */
  name: string;
  value: string;
  choices: Choice[];
  onChoose: (value: string) => void;
  shortcut?: string;
  /** Below the choices. */
  note?: ComponentChildren;
}

export function Choose({ name, value, choices, onChoose, shortcut, note }: ChooseProps) {
  const title = choices.find((choice) => choice.value === value)?.title ?? value;
  const shown = (
    <>
      <span class="what">{name}</span>
      <span class="chosen">{title}</span>
      <Icon name="down" />
    </>
  );
  return (
    <Popover label={shown} name={name} isNamed kind="button choose" shortcut={shortcut}>
      {(close) => (
        <>
          <List name={name} value={value} choices={choices} onChoose={(chosen) => (close(), onChoose(chosen))} />
          {note}
        </>
      )}
    </Popover>
  );
}

interface ListProps {
  name: string;
  value: string;
  choices: Choice[];
  onChoose: (value: string) => void;
}

/** Few choices need no search. */
const MANY = 8;

export function List({ name, value, choices, onChoose }: ListProps) {
  const words = useSignal("");
  const found = useComputed(() =>
    choices.filter((choice) =>
      `${choice.title} ${choice.value} ${choice.group ?? ""}`.toLowerCase().includes(words.value.toLowerCase()),
    ),
  );
  const at = useSignal(
    Math.max(
      0,
      choices.findIndex((choice) => choice.value === value),
    ),
  );
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  useEffect(
    () => list.current?.querySelector(".active")?.scrollIntoView({ block: "nearest" }),
    [at.value, words.value],
  );
  const onKeyDown = (event: KeyboardEvent) => {
    const last = found.value.length - 1;
    if (event.key === "ArrowDown") at.value = Math.min(last, at.value + 1);
    else if (event.key === "ArrowUp") at.value = Math.max(0, at.value - 1);
    else if (event.key === "Home") at.value = 0;
    else if (event.key === "End") at.value = last;
    else if (event.key === "Enter" && found.value[at.value]) onChoose(found.value[at.value].value);
    else return;
    event.preventDefault();
  };
  const onInput = (event: InputEvent) => {
    words.value = (event.target as HTMLInputElement).value;
    at.value = 0;
  };
  return (
    <div class="list" onKeyDown={onKeyDown}>
      <input
        class={choices.length > MANY ? "field" : "field unseen"}
        role="combobox"
        placeholder="Search"
        aria-label={`${name}: search`}
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={found.value.length ? `${id}-${at.value}` : undefined}
        value={words.value}
        onInput={onInput}
      />
      <div class="options" role="listbox" id={`${id}-list`} aria-label={name} ref={list} tabIndex={-1}>
        {found.value.map((choice, place) => (
          <Option
            key={choice.value}
            id={`${id}-${place}`}
            choice={choice}
            heading={heading(found.value, place)}
            chosen={choice.value === value}
            active={place === at.value}
            onChoose={onChoose}
          />
        ))}
      </div>
      {found.value.length === 0 && <p class="quiet">Nothing is called so.</p>}
    </div>
  );
}

function heading(choices: Choice[], place: number): string | null {
  const { group } = choices[place];
  return group && group !== choices[place - 1]?.group ? group : null;
}

interface OptionProps {
  id: string;
  choice: Choice;
  heading: string | null;
  chosen: boolean;
  active: boolean;
  onChoose: (value: string) => void;
}

function Option({ id, choice, heading, chosen, active, onChoose }: OptionProps) {
  return (
    <>
      {heading && (
        <div class="group" role="presentation">
          {heading}
        </div>
      )}
      <div
        class={active ? "option active" : "option"}
        id={id}
        role="option"
        aria-selected={chosen}
        title={choice.about}
        onClick={() => onChoose(choice.value)}
      >
        {choice.title}
      </div>
    </>
  );
}
