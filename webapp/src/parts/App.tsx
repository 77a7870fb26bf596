/** The frame of the page: head, filters, the part that is looked at, and beside it a story. */

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect } from "preact/hooks";
import { said } from "../actions";
import { field, ids, points, votes } from "../derived";
import { listenToKeys } from "../keys";
import { prefetch } from "../prefetch";
import { failedSheet, retrySheets } from "../sheets";
import { Fault } from "../source";
import { ignored, manifest, row, store, tab, unit } from "../state";
import { isNarrow } from "../theme";
import { About } from "./About";
import { FilterBar } from "./FilterBar";
import { Grid } from "./Grid";
import { Header } from "./Header";
import { Help } from "./Help";
import { Icon } from "./icons";
import { ListBar } from "./ListBar";
import { LiveCounts } from "./LiveCounts";
import { MapPanel } from "./MapPanel";
import { PlacePanel } from "./PlacePanel";
import { pictureIn, place, placed } from "./placing";
import { Story } from "./Story";
import { Table } from "./Table";
import { UnitPage } from "./UnitPage";
import { Units } from "./Units";

export function App() {
  useEffect(began, []);
  useLayoutEffect(coverBehindPanel);
  useEffect(() => void (document.title = `${manifest.name} · layerwise`), []);
  const dropping = useDropping();
  const side = <Side />;
  return (
    <>
      <a class="skip" href="#content" onClick={skip}>
        To the content
      </a>
      <Header />
      {(tab.value === "map" || tab.value === "pictures" || tab.value === "table") && <FilterBar />}
      <Notices />
      <main class="content" id="content" tabIndex={-1} data-tab={tab.value} data-side={hasSide() ? "open" : undefined}>
        <Content />
        {hasSide() && side}
      </main>
      <LiveCounts />
      {said.value && <p class="toast">{said.value}</p>}
      {dropping.value && <div class="drop">Drop the picture: the network looks at it</div>}
      <Help />
    </>
  );
}

/** On a phone a panel covers all else; nothing behind it can be reached. */
function coverBehindPanel(): void {
  const covered = isNarrow() && hasSide();
  for (const part of document.querySelectorAll(".head, .filters, .content > :not(.panel)"))
    part.toggleAttribute("inert", covered);
}

/** An anchor would take the place of the state in the address. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}

function began(): void {
  listenToKeys();
  document.documentElement.dataset.ready = "frame";
}

function Content() {
  // Asked for here, all at once, so that the first map waits for nothing else.
  const here = Boolean(points.value) && Boolean(field("label"));
  const all = here && Boolean(ids.value) && Boolean(votes.value);
  useEffect(() => {
    if (!all) return;
    document.documentElement.dataset.ready = "data";
    void prefetch();
  }, [all]);
  if (tab.value === "units") return <Units />;
  if (tab.value === "about") return <About />;
  if (tab.value === "map")
    return (
      <>
        <MapPanel />
        <Listed />
      </>
    );
  return <Listed />;
}

function Listed() {
  return (
    <section class="listed-part" aria-label={tab.value === "table" ? "Table" : "Pictures"}>
      <ListBar />
      {tab.value === "table" ? <Table /> : <Grid />}
      {tab.value !== "table" && <WrongKey />}
    </section>
  );
}

/** What the cross and the frame on pictures mean. */
function WrongKey() {
  if (field("correct")?.column.range?.[0] !== 0) return null;
  return (
    <p class="key">
      <i class="cross" aria-hidden="true" /> wrong: another class than the label
    </p>
  );
}

function hasSide(): boolean {
  return placed.value !== null || row.value !== null || (tab.value === "units" && unit.value !== null);
}

function Side() {
  if (placed.value) return <PlacePanel />;
  return row.value !== null ? <Story row={row.value} /> : <UnitPage />;
}

/** What could not be read, and parts of the address that mean nothing. */
function Notices() {
  const fault = store.fault.value ?? lostPictures();
  const again = () => {
    store.retry();
    retrySheets();
  };
  return (
    <>
      {fault && (
        <div class="notice fault" role="alert">
          <span>
            {fault.words} {fault.remedy}
          </span>
          <button class="button" onClick={again}>
            Try again
          </button>
        </div>
      )}
      {ignored.value.length > 0 && (
        <div class="notice" role="status">
          <span>
            Parts of the link mean nothing in this run and were left out: <code>{ignored.value.join(" & ")}</code>
          </span>
          <button class="button square" aria-label="Close this notice" onClick={() => (ignored.value = [])}>
            <Icon name="close" />
          </button>
        </div>
      )}
    </>
  );
}

function lostPictures(): Fault | null {
  const file = failedSheet.value;
  return file === null
    ? null
    : new Fault(`Pictures are missing: data/sheets/${file} cannot be read.`, "All else of the page works.");
}

function useDropping() {
  const dropping = useSignal(false);
  useEffect(() => {
    if (!manifest.can.place) return;
    const stop = new AbortController();
    const on = <Name extends keyof WindowEventMap>(name: Name, listener: (event: WindowEventMap[Name]) => void) =>
      window.addEventListener(name, listener, { signal: stop.signal });
    on("dragover", (event) => (event.preventDefault(), (dropping.value = true)));
    on("dragleave", (event) => event.relatedTarget === null && (dropping.value = false));
    on("drop", (event) => {
      event.preventDefault();
      dropping.value = false;
      const file = pictureIn(event.dataTransfer);
      if (file) void place(file, file.name);
    });
    on("paste", (event) => {
      const file = pictureIn(event.clipboardData);
      if (file) void place(file);
    });
    return () => stop.abort();
  }, []);
  return dropping;
}
