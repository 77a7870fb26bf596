/** Colours that colour-blind people can tell apart, for classes, orders and numbers, on light and on dark. */

/** Okabe and Ito (2008), in an order that keeps neighbours apart; grey in place of black, for dark pages. */
const OKABE_ITO = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#7a828c"];

/** Petroff (2021), ten colours found by search under colour-blindness models. */
const PETROFF = [
  "#3f90da",
  "#ffa90e",
  "#bd1f01",
  "#94a4a2",
  "#832db6",
  "#a96b59",
  "#e76300",
  "#b9ac70",
  "#717581",
  "#92dadd",
];

/** The same hues a second time, darker or lighter: twenty that still differ in lightness where hues do not. */
const SHADES = [
  "#1d5a93",
  "#a86c00",
  "#ff8a73",
  "#5f6b69",
  "#c59be0",
  "#6d4033",
  "#ffb27d",
  "#7c7338",
  "#b4b8c2",
  "#3f8f94",
];

export const RIGHT = "#0072b2";
export const WRONG = "#d55e00";
const FLAGS = ["#7a828c", "#d55e00"];

/** Van der Walt and Smith's viridis, at eleven places. */
const VIRIDIS = [
  "#440154",
  "#482475",
  "#414487",
  "#355f8d",
  "#2a788e",
  "#21918c",
  "#22a884",
  "#44bf70",
  "#7ad151",
  "#bddf26",
  "#fde725",
];

/** Blue over grey to orange, the ends of Okabe and Ito. */
const DIVERGING = ["#00568a", "#3d8fc4", "#93bfdd", "#b4b4b4", "#eab07c", "#dd7d2c", "#a84300"];

/** Names of many classes are told by words; colours only group them, by hue and then by shade. */
const MANY_SHADES = [1, 0.72, 1.28, 0.5];

/** A colour for each of `count` things without an order. */
export function classColors(count: number): string[] {
  if (count <= OKABE_ITO.length) return OKABE_ITO.slice(0, count);
  if (count <= PETROFF.length) return PETROFF.slice(0, count);
  if (count <= 2 * PETROFF.length) return [...PETROFF, ...SHADES].slice(0, count);
  return Array.from({ length: count }, (_, place) =>
    shaded(PETROFF[place % 10], MANY_SHADES[Math.floor(place / 10) % 4]),
  );
}

/** Whether so many things can be told apart by colour alone. */
export function areTold(count: number): boolean {
  return count <= 2 * PETROFF.length;
}

export function flagColors(isCorrect: boolean): string[] {
  return isCorrect ? [WRONG, RIGHT] : FLAGS;
}

/** Colours for things in an order, or for steps between the least and the largest number. */
export function orderedColors(count: number, dark: boolean): string[] {
  // The end that is near the page's own colour is left out.
  const [low, high] = dark ? [0.16, 1] : [0, 0.93];
  return Array.from({ length: count }, (_, place) =>
    ramp(VIRIDIS, low + (high - low) * (count > 1 ? place / (count - 1) : 0.5)),
  );
}

/** Steps between -1 and 1. */
export function divergingColors(count: number): string[] {
  return Array.from({ length: count }, (_, place) => ramp(DIVERGING, count > 1 ? place / (count - 1) : 0.5));
}

function ramp(stops: string[], share: number): string {
  const place = Math.max(0, Math.min(1, share)) * (stops.length - 1);
  const left = Math.min(stops.length - 2, Math.floor(place));
  return mixed(stops[left], stops[left + 1], place - left);
}

/** `factor` below 1 darkens, above 1 goes towards white. */
function shaded(color: string, factor: number): string {
  return factor <= 1 ? mixed("#000000", color, factor) : mixed(color, "#ffffff", 1.6 * (factor - 1));
}

function mixed(from: string, to: string, share: number): string {
  const [a, b] = [channels(from), channels(to)];
  return `#${a
    .map((value, place) =>
      Math.round(value + (b[place] - value) * share)
        .toString(16)
        .padStart(2, "0"),
    )
    .join("")}`;
}

function channels(color: string): number[] {
  return [1, 3, 5].map((place) => parseInt(color.slice(place, place + 2), 16));
}
