/** The head of the page: the run's name, the tabs, a new image, light or dark, keys. */

import { useRef } from "preact/hooks";
import { TABS, type Tab } from "../address";
import { go, manifest, tab } from "../state";
import { dark, turnTheme } from "../theme";
import { helping } from "./Help";
import { Icon } from "./icons";
import { place } from "./placing";

const TITLES: Record<Tab, string> = {
  map: "Map",
  pictures: "Pictures",
  table: "Table",
  units: "Units",
  about: "About",
};

export function Header() {
  return (
    <header class="head">
      <h1 title={manifest.name}>
        <span class="brand">layerwise</span> <span class="run">{manifest.name}</span>
      </h1>
      <Tabs />
      <div class="head-tools">
        {manifest.can.place && <NewImage />}
        <button
          class="button square"
          aria-label={dark.value ? "Light" : "Dark"}
          title={dark.value ? "Light (d)" : "Dark (d)"}
          onClick={turnTheme}
        >
          <Icon name={dark.value ? "light" : "dark"} />
        </button>
        <button class="button square" aria-label="Keys" title="Keys (?)" onClick={() => (helping.value = true)}>
          ?
        </button>
      </div>
    </header>
  );
}

function Tabs() {
  return (
    <nav class="tabs" aria-label="Parts of the page">
      {TABS.map((one) => (
        <button key={one} aria-current={tab.value === one ? "page" : undefined} onClick={() => go({ tab: one })}>
          {TITLES[one]}
        </button>
      ))}
    </nav>
  );
}

function NewImage() {
  const input = useRef<HTMLInputElement>(null);
  const take = () => {
    const file = input.current?.files?.[0];
    if (file) void place(file, file.name);
    input.current!.value = "";
  };
  return (
    <>
      <button
        class="button"
        title="Place a new image: choose, drop or paste one"
        onClick={() => input.current?.click()}
      >
        <Icon name="picture" />
        <span class="wide-only">New image</span>
      </button>
      <input ref={input} type="file" accept="image/*" hidden onChange={take} />
    </>
  );
}
