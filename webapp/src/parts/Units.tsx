/** Units, tap by tap: how many are dead or saturated, and each of them in a table that leads to its page. */

import { useSignal } from "@preact/signals";
import type { TapUnits, Unit } from "../payload";
import { address, go, manifest } from "../state";
import { counted, countWords, numberWords, percentWords } from "../words";
import { NextStep } from "./Missing";
import { Picture } from "./Picture";

export function Units() {
  if (!manifest.units.length) return <NoUnits />;
  const tap = manifest.units.find((one) => one.tap === address.value.unitTap) ?? manifest.units[0];
  return (
    <section class="units" aria-label="Units">
      <Taps chosen={tap} />
      <UnitTable key={tap.tap} of={tap} />
    </section>
  );
}

function NoUnits() {
  const missing = manifest.missing.find(({ part }) => part === "units");
  return (
    <section class="units-none">
      <h2>Units</h2>
      <p>{missing?.words ?? "No units were measured in this run."}</p>
      {missing && <NextStep of={missing} />}
    </section>
  );
}

function Taps({ chosen }: { chosen: TapUnits }) {
  return (
    <div class="taps-box" tabIndex={0} role="region" aria-label="Taps whose units were measured">
      <table class="plain-table">
        <thead>
          <tr>
            <th scope="col">Tap</th>
            {["Units", "Dead", "Never fire", "Saturated"].map((title) => (
              <th key={title} scope="col" class="number">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {manifest.units.map(({ tap, counts }) => (
            <tr key={tap} class={tap === chosen.tap ? "active" : ""}>
              <th scope="row">
                <button
                  class="link tail"
                  title={tap}
                  aria-current={tap === chosen.tap}
                  onClick={() => go({ unitTap: tap, unit: null })}
                >
                  <bdi>{tap}</bdi>
                </button>
              </th>
              {[counts.units, counts.dead, counts.never_fires, counts.saturated].map((count, place) => (
                <td key={place} class={count && place ? "number some" : "number"}>
                  {countWords(count)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

type Sort = "unit" | "fires" | "selectivity" | "excited_by";
const HEADS: { sort: Sort; title: string; about: string }[] = [
  { sort: "unit", title: "Unit", about: "Its place at the tap" },
  { sort: "fires", title: "Fires at", about: "Share of the images at which it is above zero" },
  {
    sort: "selectivity",
    title: "Selectivity",
    about: "How much more the class that excites it most does so than the others: 0 to 1",
  },
  { sort: "excited_by", title: "Excited by", about: "The class that excites it most" },
];
const THUMBS = 5;

function UnitTable({ of }: { of: TapUnits }) {
  const sort = useSignal<Sort>("unit");
  const descending = useSignal(false);
  const units = sorted(of.units, sort.value, descending.value);
  const by = (name: Sort) => {
    descending.value = sort.value === name ? !descending.value : name === "fires" || name === "selectivity";
    sort.value = name;
  };
  return (
    <div class="unit-box" tabIndex={0} role="region" aria-label={`Units of ${of.tap}`}>
      <table class="plain-table">
        <thead>
          <tr>
            {HEADS.map(({ sort: name, title, about }) => (
              <th
                key={name}
                scope="col"
                class={name === "excited_by" ? "" : "number"}
                aria-sort={sort.value === name ? (descending.value ? "descending" : "ascending") : "none"}
              >
                <button class="sort" title={about} onClick={() => by(name)}>
                  {title}
                  <span aria-hidden="true">{sort.value === name ? (descending.value ? " ↓" : " ↑") : ""}</span>
                </button>
              </th>
            ))}
            <th scope="col">State</th>
            <th scope="col">Strongest images</th>
          </tr>
        </thead>
        <tbody>
          {units.map((unit) => (
            <UnitLine key={unit.unit} of={of} unit={unit} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function sorted(units: Unit[], by: Sort, descending: boolean): Unit[] {
  const sign = descending ? -1 : 1;
  // Unknown selectivity last whichever way.
  const key = (unit: Unit) => unit[by] ?? sign * Infinity;
  return [...units].sort((a, b) => sign * (key(a) - key(b)) || a.unit - b.unit);
}

function UnitLine({ of, unit }: { of: TapUnits; unit: Unit }) {
  const open = () => go({ unitTap: of.tap, unit: unit.unit, row: null });
  return (
    <tr class={address.value.unit === unit.unit ? "active" : ""} onClick={open} data-unit={unit.unit}>
      <th scope="row" class="number">
        <button class="link">{unit.unit}</button>
      </th>
      <td class="number">{percentWords(unit.fires)}</td>
      <td class="number">{unit.selectivity === null ? "–" : numberWords(unit.selectivity)}</td>
      <td>{manifest.classes[unit.excited_by] ?? "–"}</td>
      <td>{stateWords(unit) && <span class="badge state">{stateWords(unit)}</span>}</td>
      <td class="strongest">
        {unit.shown.length === 0 && <span title={keptWords(of, unit)}>–</span>}
        {unit.shown.slice(0, THUMBS).map((place) => (
          <Picture key={place} of={manifest.unit_pictures} place={place} size={28} />
        ))}
      </td>
    </tr>
  );
}

/** Why a unit has no pictures. */
export function keptWords({ kept }: TapUnits, { fires }: Unit): string {
  if (fires === 0) return "None: it fires at no image.";
  if (!kept) return "Not kept for the units of this tap.";
  return `Kept only for the ${counted(kept, "most selective unit")} of this tap; this is not one of them.`;
}

export function stateWords({ dead, saturated }: Unit): string {
  return dead ? "dead" : saturated ? "saturated" : "";
}
