/** The map with what steers it: method, colour, tools above; the taps below; the legend beside. */

import { COLUMNS } from "../address";
import { stepTap } from "../actions";
import { mapOfMethod } from "../derived";
import { address, color, go, manifest, method } from "../state";
import { Choose, columnChoices } from "./Choose";
import { Legend } from "./Legend";
import { MissingPart, NextStep } from "./Missing";
import { MapView } from "./MapView";
import { mode, MapTools } from "./MapTools";
import { Scrubber } from "./Scrubber";

export function MapPanel() {
  const isColumns = method.value === COLUMNS;
  return (
    <section class="map-panel" aria-label="Map" onKeyDown={stepByKeys}>
      <div class="bar">
        <Methods />
        {isColumns && <Axis name="x" />}
        {isColumns && <Axis name="y" />}
        <Choose
          name="Colour"
          value={color.value}
          choices={columnChoices()}
          onChoose={(color) => go({ color })}
          shortcut="color"
          note={<MissingPart part="training images" />}
        />
        <MapTools />
      </div>
      <div class="map-body" data-mode={mode.value}>
        <Legend />
        <MapView />
      </div>
      {mapOfMethod.value && <Scrubber map={mapOfMethod.value} />}
      {manifest.maps.length === 0 && <NoMaps />}
    </section>
  );
}

function stepByKeys(event: KeyboardEvent): void {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const target = event.target as HTMLElement;
  if (!by || !target.closest(".map-view")) return;
  if (stepTap(by)) event.preventDefault();
}

function Methods() {
  const methods = [
    ...manifest.maps.map(({ method, title }) => ({ method, title })),
    { method: COLUMNS, title: "Scatter plot of two columns" },
  ];
  return (
    <div class="segments" role="group" aria-label="Method">
      {methods.map(({ method: one, title }) => (
        <button key={one} aria-pressed={method.value === one} onClick={() => go({ method: one })}>
          {title}
        </button>
      ))}
    </div>
  );
}

function Axis({ name }: { name: "x" | "y" }) {
  const words = name === "x" ? "Across" : "Up";
  return (
    <Choose
      name={words}
      value={address.value[name]}
      choices={columnChoices()}
      onChoose={(column) => go({ [name]: column })}
    />
  );
}

/** What a run without maps says below its two columns. */
function NoMaps() {
  const missing = manifest.missing.find(({ part }) => part === "maps");
  return (
    <div class="no-maps">
      <p>{missing?.words} Two columns are drawn against each other instead.</p>
      {missing && <NextStep of={missing} />}
    </div>
  );
}
