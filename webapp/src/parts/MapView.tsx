/** The map itself: a Scatter that is told what to show, and whose clicks and lassos become the page's state. */

import { effect, useSignal, type Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { openStory, say, select, toggleSelected } from "../actions";
import { coloring } from "../coloring";
import { COLUMNS } from "../address";
import { filterMask, mapTap, points, selectedMask } from "../derived";
import { createScatter, type Events, type Scatter } from "../scatter/scatter";
import { drawSpot, sheetOf, spotOf } from "../sheets";
import { address, manifest, method, row, selected } from "../state";
import { dark } from "../theme";
import { counted } from "../words";
import { Axes } from "./Axes";
import { HoverCard, type Hovered } from "./HoverCard";
import { mode, scatter } from "./MapTools";
import { placed } from "./placing";
import { playing } from "./Scrubber";

const MORPH_MS = 700;
/** Pictures that were not here when the map was drawn are looked for again after this. */
const REFRESH_MS = 20;
const THEMES = { light: { background: "#ffffff", ink: "#1b2430" }, dark: { background: "#161b22", ink: "#e6eaef" } };

export function MapView() {
  const parent = useRef<HTMLDivElement>(null);
  const hovered = useSignal<Hovered | null>(null);
  const failure = useSignal("");
  useEffect(() => {
    let made: Scatter | null = null;
    let stop = () => {};
    let gone = false;
    createScatter(parent.current!, manifest.count, themeNow()).then(
      (map) => {
        made = map;
        if (gone) return map.destroy();
        stop = connect(map, hovered);
        scatter.value = map;
      },
      (fault: Error) => (failure.value = fault.message),
    );
    return () => {
      gone = true;
      scatter.value = null;
      stop();
      made?.destroy();
    };
  }, []);
  return (
    <div
      class={method.value === COLUMNS ? "map-view with-axes" : "map-view"}
      role="group"
      aria-roledescription="map"
      aria-label={mapWords()}
      tabIndex={0}
      onKeyDown={onKeyDown}
    >
      <div class="plot">
        <div class="canvas" ref={parent} />
        <HoverCard hovered={hovered} />
      </div>
      {method.value === COLUMNS && scatter.value && <Axes scatter={scatter.value} />}
      {!points.value && <p class="waiting">Reading the map …</p>}
      {failure.value && (
        <p class="waiting">The map cannot be drawn: {failure.value} The table has all it would show.</p>
      )}
    </div>
  );
}

function themeNow() {
  return dark.value ? THEMES.dark : THEMES.light;
}

function mapWords(): string {
  const at = mapTap.value ? `at ${mapTap.value.tap}` : "of two columns";
  return `Map ${at}, ${counted(manifest.count, "example")}. The table has the same examples in words. Arrow keys left and right change the tap.`;
}

/** Tell the map what changes; answers what stops that. */
function connect(map: Scatter, hovered: Signal<Hovered | null>): () => void {
  const stops = [...showing(map), ...hearing(map, hovered)];
  return () => stops.forEach((stop) => stop());
}

function showing(map: Scatter): (() => void)[] {
  return [
    effect(() => map.setTheme(themeNow())),
    effect(() => void (coloring.value && map.setColors(coloring.value.codes, coloring.value.palette))),
    effect(() => map.setVisible(filterMask.value)),
    effect(() => map.setSelected(selected.value.length ? selectedMask.value : null)),
    effect(() => map.setFocus(row.value)),
    effect(() => void (map.mode = mode.value)),
    showPoints(map),
    showPictures(map),
    effect(() => {
      const at = placed.value?.answer?.maps[method.value]?.[mapTap.value?.tap ?? ""];
      map.setMarker(at ?? null, at && "new image");
    }),
  ];
}

function showPoints(map: Scatter): () => void {
  let before: string | null = null;
  return effect(() => {
    const xy = points.value;
    if (!xy) return;
    const moved = before !== null;
    before = address.peek().method;
    void map
      .setPoints(xy, { morph_ms: moved ? (playing.peek() ? 1.4 : 1) * MORPH_MS : 0 })
      .then(() => moved || marked());
  });
}

/** The first map is there: what tests and benchmarks wait for. */
function marked(): void {
  requestAnimationFrame(() => {
    if (!performance.getEntriesByName("first-map").length) performance.mark("first-map");
    document.documentElement.dataset.map = "ready";
  });
}

function showPictures(map: Scatter): () => void {
  const { pictures } = manifest;
  if (!pictures) return () => {};
  let timer = 0;
  const again = () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => map.refresh(), REFRESH_MS);
  };
  map.setPictures((context, at, x, y, size) => {
    if (drawSpot(context, pictures, at, x, y, size)) return true;
    const { arrived, state } = sheetOf(spotOf(pictures, at).file);
    void arrived.then(() => state.peek() === "here" && again());
    return false;
  });
  return () => window.clearTimeout(timer);
}

function hearing(map: Scatter, hovered: Signal<Hovered | null>): (() => void)[] {
  return [
    map.on("point", ({ row: at, add }) => clicked(at, add)),
    map.on("hover", ({ row: at, x, y }) => (hovered.value = at === null ? null : { row: at, x, y })),
    map.on("lasso", lassoed),
  ];
}

function clicked(at: number | null, add: boolean): void {
  if (at !== null && add) toggleSelected(at);
  else if (at !== null) openStory(at);
}

function lassoed({ rows, add }: Events["lasso"]): void {
  select(rows, add);
  say(rows.length ? `${counted(address.value.selected.length, "example")} selected` : "No example lies inside.");
  // After the frame that shows it has been handed over.
  requestAnimationFrame(() => setTimeout(() => performance.measure("lasso", "lasso-closed")));
}

/** Plus and minus zoom; 0 shows all. */
function onKeyDown(event: KeyboardEvent): void {
  const map = scatter.peek();
  const factor = { "+": 1.4, "=": 1.4, "-": 1 / 1.4 }[event.key];
  if (!map || !factor) return;
  const { x, y, zoom } = map.view;
  map.view = { x, y, zoom: zoom * factor };
  event.preventDefault();
}
