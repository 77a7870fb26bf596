/** Feature maps of one example at a tap, asked of the server when they are wanted. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { FeatureMaps } from "../payload";
import { Fault } from "../source";
import { manifest, source } from "../state";
import { counted, countWords, numberWords } from "../words";
import { Choose } from "./Choose";

export function FeatureMapsPart({ row }: { row: number }) {
  const tap = useSignal<number | null>(null);
  const maps = useSignal<FeatureMaps | null>(null);
  const fault = useSignal<Fault | null>(null);
  const tries = useSignal(0);
  useEffect(() => {
    let current = true;
    [maps.value, fault.value] = [null, null];
    if (tap.value !== null)
      source.features(row, tap.value).then(
        (answer) => current && (maps.value = answer),
        (failed: Error) => current && (fault.value = failed instanceof Fault ? failed : new Fault(failed.message, "")),
      );
    return () => void (current = false);
  }, [row, tap.value, tries.value]);
  const choices = manifest.taps.map(({ name, shape }, place) => ({ value: String(place), title: name, about: shape }));
  const value = tap.value === null ? "" : String(tap.value);
  return (
    <section class="feature-maps">
      <h3>Feature maps</h3>
      <Choose
        name="Tap"
        value={value}
        choices={[{ value: "", title: "none chosen" }, ...choices]}
        onChoose={(chosen) => (tap.value = chosen === "" ? null : Number(chosen))}
      />
      {tap.value !== null && !maps.value && !fault.value && <p class="quiet">Asking the network …</p>}
      {fault.value && (
        <p class="fault" role="alert">
          {fault.value.words} {fault.value.remedy}{" "}
          <button class="plain" onClick={() => tries.value++}>
            Try again
          </button>
        </p>
      )}
      {maps.value && tap.value !== null && <Maps of={maps.value} />}
    </section>
  );
}

function Maps({ of }: { of: FeatureMaps }) {
  const shown = of.maps?.length ?? of.values?.length ?? 0;
  const all = counted(of.of, of.maps ? "map" : "value");
  return (
    <>
      <p class="hint">
        {of.shape}; {shown < of.of ? `${countWords(shown)} of ${all} shown` : all}
      </p>
      <div class="maps" data-ready="true">
        {of.maps?.map(({ unit, png }) => (
          <figure key={unit}>
            <img src={png} alt={`Feature map of unit ${unit}`} />
            <figcaption>{unit}</figcaption>
          </figure>
        ))}
      </div>
      {of.values && <Values values={of.values} />}
    </>
  );
}

/** A tap without maps: a bar for each unit, from zero up or down. */
function Values({ values }: { values: number[] }) {
  const most = Math.max(...values.map(Math.abs), 1e-12);
  return (
    <svg
      class="unit-values"
      viewBox={`0 -50 ${values.length} 100`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${values.length} values, the largest ${numberWords(Math.max(...values))}`}
    >
      {values.map((value, unit) => (
        <rect
          key={unit}
          x={unit + 0.1}
          width={0.8}
          y={Math.min(0, (-50 * value) / most)}
          height={Math.abs((50 * value) / most)}
        >
          <title>{`unit ${unit}: ${numberWords(value)}`}</title>
        </rect>
      ))}
    </svg>
  );
}
