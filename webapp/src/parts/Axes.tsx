/** The two columns' names and values at the edges of their map; they follow what is looked at. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Field } from "../columns";
import { field } from "../derived";
import { SPAN, toScreen, type Camera } from "../scatter/camera";
import type { Scatter } from "../scatter/scatter";
import { address } from "../state";

/** Pixels between words. */
const ROOM = 6;

interface Tick {
  /** On the map's scale. */
  at: number;
  words: string;
}

export function Axes({ scatter }: { scatter: Scatter }) {
  const camera = useSignal(cameraOf(scatter));
  useEffect(() => {
    const look = () => (camera.value = cameraOf(scatter));
    const sized = new ResizeObserver(look);
    sized.observe(scatter.element);
    const stop = scatter.on("view", look);
    return () => (sized.disconnect(), stop());
  }, [scatter]);
  const { x, y } = address.value;
  const [across, up] = [field(x), field(y)];
  if (!across || !up) return null;
  const acrossTicks = ticksOf(across, camera.value.zoom);
  const toX = (at: number) => toScreen(camera.value, at, 0).x;
  const room = acrossTicks.length > 1 ? toX(acrossTicks[1].at) - toX(acrossTicks[0].at) - ROOM : camera.value.width;
  return (
    <div class="axes" aria-hidden="true">
      <div class="along x">
        {acrossTicks.map(({ at, words }) => (
          <span key={`x${at}`} class="tick x" style={`left:${toX(at)}px;max-width:${room}px`}>
            {words}
          </span>
        ))}
      </div>
      <div class="along y">
        {ticksOf(up, camera.value.zoom).map(({ at, words }) => (
          <span key={`y${at}`} class="tick y" title={words} style={`top:${toScreen(camera.value, 0, at).y}px`}>
            {words}
          </span>
        ))}
      </div>
      <b class="title x">{across.column.title}</b>
      <b class="title y">{up.column.title}</b>
    </div>
  );
}

function cameraOf(scatter: Scatter): Camera {
  const { clientWidth: width, clientHeight: height } = scatter.element;
  return { ...scatter.view, width, height };
}

function ticksOf({ choices, column }: Field, zoom: number): Tick[] {
  if (choices) {
    const every = Math.ceil(choices.length / (24 * zoom));
    return choices
      .map((words, place) => ({ at: ((place + 0.5) / choices.length) * SPAN, words }))
      .filter((_, place) => place % every === 0);
  }
  const [low, high] = column.range ?? [0, 1];
  return roundNumbers(low, high, 6 * Math.max(1, zoom)).map((value) => ({
    at: ((value - low) / (high - low)) * SPAN,
    words: String(value).replace("-", "−"),
  }));
}

/** About `count` round numbers from low to high. */
function roundNumbers(low: number, high: number, count: number): number[] {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((one) => one * power >= rough) ?? 10);
  const numbers: number[] = [];
  for (let place = Math.ceil(low / step - 1e-9); place * step <= high * (1 + 1e-9) || place * step <= high; place++)
    numbers.push(Number((place * step).toPrecision(12)));
  return numbers;
}
