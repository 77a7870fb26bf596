/** Through the taps: a slider with their names, and a button that plays them. */

import { effect, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { mapTap } from "../derived";
import type { MapMethod } from "../payload";
import { go, manifest } from "../state";
import { numberWords, percentWords, shapeWords } from "../words";
import { stepTap } from "../actions";
import { Icon } from "./icons";
import { useScrolled } from "./scrolled";

export const playing = signal(false);
const STEP_MS = 1500;

export function Scrubber({ map }: { map: MapMethod }) {
  const at = Math.max(0, map.taps.indexOf(mapTap.value!));
  const tap = map.taps[at];
  useEffect(() => effect(keepPlaying), []);
  return (
    <div class="scrubber" role="group" aria-label="Taps">
      <button
        class="button square"
        aria-label={playing.value ? "Stop" : "Play through the taps"}
        title="Play (p)"
        onClick={() => play(map)}
      >
        <Icon name={playing.value ? "pause" : "play"} />
      </button>
      <div class="track">
        <input
          type="range"
          min={0}
          max={map.taps.length - 1}
          step={1}
          value={at}
          aria-label="Tap"
          aria-valuetext={tap.tap}
          onInput={(event) => go({ tap: map.taps[Number(event.currentTarget.value)].tap }, "replace")}
        />
        <Names map={map} at={at} />
      </div>
      <Facts tap={tap} />
    </div>
  );
}

/** Pixels of a letter of a name, and of the room between names. */
const LETTER = 6.2;
const ROOM = 12;
const LONGEST = 92;

function Names({ map, at }: { map: MapMethod; at: number }) {
  const { element, width } = useScrolled<HTMLOListElement>();
  const last = Math.max(1, map.taps.length - 1);
  const longest = Math.min(LONGEST, LETTER * Math.max(...map.taps.map(({ tap }) => tap.length)));
  const every = Math.max(1, Math.ceil(((longest + ROOM) * last) / Math.max(1, width.value)));
  // The chosen tap's name is always there; those that it would cover are not.
  const isNamed = (place: number) => place === at || (place % every === 0 && Math.abs(place - at) >= every);
  return (
    <ol class="names" aria-hidden="true" ref={element}>
      {map.taps.map(({ tap }, place) => (
        <li
          key={tap}
          class={place === at ? "at" : isNamed(place) ? "" : "skipped"}
          style={`left:${(100 * place) / last}%`}
          title={tap}
          onClick={() => go({ tap })}
        >
          <span class="tail">
            <bdi>{tap}</bdi>
          </span>
        </li>
      ))}
    </ol>
  );
}

/** How good the map is, and what the tap is. */
function Facts({ tap }: { tap: MapMethod["taps"][number] }) {
  const shape = manifest.taps[tap.order]?.shape;
  return (
    <dl class="tap-facts">
      <div class="tap-name">
        <dt>{tap.tap}</dt>
        <dd>{shape && shapeWords(shape)}</dd>
      </div>
      {tap.facts.map(({ name, about, value, share }) => (
        <div key={name} title={about}>
          <dt>{name}</dt>
          <dd>{share ? percentWords(value) : numberWords(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** From the first tap again when the last one is reached. */
export function play(map: MapMethod): void {
  const atEnd = mapTap.value === map.taps[map.taps.length - 1];
  if (!playing.value && atEnd) go({ tap: map.taps[0].tap }, "replace");
  playing.value = !playing.value;
}

function keepPlaying(): (() => void) | void {
  if (!playing.value) return;
  const timer = window.setInterval(() => {
    if (!stepTap(1)) playing.value = false;
  }, STEP_MS);
  return () => window.clearInterval(timer);
}
