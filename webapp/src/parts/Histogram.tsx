/** How the values of a column are spread, and a brush over it that filters: by mouse, by touch, by arrow keys. */

import { useRef } from "preact/hooks";
import { setFilter } from "../actions";
import { scaleColors, limitsOf } from "../coloring";
import { countBins, type Field } from "../columns";
import { maskWithout } from "../derived";
import { filters } from "../state";
import { dark } from "../theme";
import { numberWords } from "../words";

const BINS = 48;
const WIDTH = 192;
const HEIGHT = 56;

type Range = [number, number];

export function BrushedHistogram({ field }: { field: Field }) {
  const { column } = field;
  const bins = countBins(field, maskWithout(column.name), BINS);
  const whole: Range = [bins.low, bins.high];
  const clause = filters.value.find((one) => one.kind === "within" && one.column === column.name);
  const range: Range = clause?.kind === "within" ? [clause.low, clause.high] : whole;
  const set = ([low, high]: Range, how: "push" | "replace") => {
    const everything = low <= whole[0] && high >= whole[1];
    setFilter(column.name, everything ? null : { kind: "within", column: column.name, low, high }, how);
  };
  return (
    <div class="histogram">
      <Brush whole={whole} range={range} field={field} set={set}>
        <Bars field={field} counts={bins.counts} whole={whole} range={range} />
      </Brush>
      <div class="ends">
        <span>{numberWords(whole[0])}</span>
        <span>{numberWords(whole[1])}</span>
      </div>
    </div>
  );
}

interface BarsProps {
  field: Field;
  counts: Uint32Array;
  whole: Range;
  range: Range;
}

function Bars({ field, counts, whole, range }: BarsProps) {
  const most = Math.max(1, ...counts);
  const step = (whole[1] - whole[0]) / BINS || 1;
  const limits = limitsOf(field);
  const palette = scaleColors(limits, 32, dark.value);
  const width = WIDTH / BINS;
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      {Array.from(counts, (count, place) => {
        // The root: bars of a few stay visible beside bars of thousands.
        const height = count && Math.max(1.5, Math.sqrt(count / most) * HEIGHT);
        const middle = whole[0] + (place + 0.5) * step;
        const share = (middle - limits[0]) / (limits[1] - limits[0] || 1);
        const color = palette[Math.max(0, Math.min(31, Math.floor(32 * share)))];
        const out = middle < range[0] || middle > range[1];
        return (
          <rect
            key={place}
            x={place * width}
            y={HEIGHT - height}
            width={width - 0.5}
            height={height}
            fill={color}
            opacity={out ? 0.22 : 1}
          />
        );
      })}
    </svg>
  );
}

interface BrushProps {
  whole: Range;
  range: Range;
  field: Field;
  set: (range: Range, how: "push" | "replace") => void;
  children: preact.ComponentChildren;
}

function Brush({ whole, range, field, set, children }: BrushProps) {
  const area = useRef<HTMLDivElement>(null);
  const span = whole[1] - whole[0] || 1;
  const percent = (value: number) => `${(100 * (value - whole[0])) / span}%`;
  const valueAt = (event: PointerEvent) => {
    const { left, width } = area.current!.getBoundingClientRect();
    return rounded(whole[0] + span * Math.max(0, Math.min(1, (event.clientX - left) / width)), whole, field);
  };
  const onPointerDown = (event: PointerEvent) => drag(event, valueAt, range, whole, set);
  return (
    <div class="brush" ref={area} onPointerDown={onPointerDown}>
      {children}
      <div class="window" style={`left:${percent(range[0])};width:calc(${percent(range[1])} - ${percent(range[0])})`} />
      {[0, 1].map((end) => (
        <Handle
          key={end}
          end={end as 0 | 1}
          left={percent(range[end])}
          range={range}
          whole={whole}
          field={field}
          set={set}
        />
      ))}
    </div>
  );
}

/** A drag makes a new window, or moves the end that it began at; a click opens all again. */
function drag(
  event: PointerEvent,
  valueAt: (event: PointerEvent) => number,
  range: Range,
  whole: Range,
  set: BrushProps["set"],
): void {
  const area = event.currentTarget as HTMLElement;
  const grip = (event.target as HTMLElement).closest<HTMLElement>("[data-end]");
  const held = grip ? range[1 - Number(grip.dataset.end)] : valueAt(event);
  let how: "push" | "replace" = "push";
  area.setPointerCapture(event.pointerId);
  area.onpointermove = (moved) => {
    const value = valueAt(moved);
    if (how === "push" && Math.abs(moved.clientX - event.clientX) < 3) return;
    set([Math.min(held, value), Math.max(held, value)], how);
    how = "replace";
  };
  area.onpointerup = area.onpointercancel = () => {
    area.onpointermove = area.onpointerup = area.onpointercancel = null;
    if (how === "push" && !grip) set(whole, "push");
  };
}

interface HandleProps {
  end: 0 | 1;
  left: string;
  range: Range;
  whole: Range;
  field: Field;
  set: BrushProps["set"];
}

function Handle({ end, left, range, whole, field, set }: HandleProps) {
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const value = rounded(range[end] + (step * (whole[1] - whole[0])) / 50, whole, field);
    set(end ? [range[0], Math.max(range[0], value)] : [Math.min(range[1], value), range[1]], "replace");
  };
  return (
    <div
      class="grip"
      role="slider"
      tabIndex={0}
      data-end={end}
      style={`left:${left}`}
      aria-label={`${field.column.title}, ${end ? "to" : "from"}`}
      aria-valuemin={whole[0]}
      aria-valuemax={whole[1]}
      aria-valuenow={range[end]}
      aria-valuetext={numberWords(range[end])}
      onKeyDown={onKeyDown}
    />
  );
}

/** Three digits of the range; its ends are kept as they are. */
function rounded(value: number, [low, high]: Range, { column }: Field): number {
  if (value <= low) return low;
  if (value >= high) return high;
  const step = column.kind === "whole" ? 1 : 10 ** (Math.floor(Math.log10(high - low)) - 2);
  return Number((Math.round(value / step) * step).toPrecision(6));
}
