/**
 * Which points lie inside a polygon, by the even-odd rule.
 *
 * The polygon's height is cut into bands, each with the edges that cross it, so that a point is held against the few
 * edges of its own band instead of all: one pass over the points, whatever the hand drew.
 */
import { OFF } from "./camera";

interface Edges {
  /** Lower end, upper end, x at the lower end, x gained per step of y. */
  low: Float64Array;
  high: Float64Array;
  x: Float64Array;
  slope: Float64Array;
}

interface Bands {
  bottom: number;
  top: number;
  left: number;
  right: number;
  count: number;
  /** Of band b: edges[starts[b]] up to edges[starts[b + 1]]. */
  starts: Int32Array;
  edges: Edges;
}

/** Rows of the shown points of `xy` inside `polygon` (x and y by turns), ascending. */
export function rowsInside(xy: Uint16Array, visible: Uint8Array | null, polygon: ArrayLike<number>): Uint32Array {
  if (polygon.length < 6) return new Uint32Array(0);
  const { bottom, top, left, right, count, starts, edges } = bandsOf(polygon);
  const { low, high, x: at, slope } = edges;
  const perStep = count / Math.max(1e-9, top - bottom);
  const found = new Uint32Array(xy.length / 2);
  let many = 0;
  for (let row = 0; row < found.length; row++) {
    const x = xy[2 * row];
    const y = xy[2 * row + 1];
    if (x < left || x > right || y < bottom || y > top || x === OFF || (visible && !visible[row])) continue;
    const band = Math.min(count - 1, ((y - bottom) * perStep) | 0);
    let inside = 0;
    for (let e = starts[band]; e < starts[band + 1]; e++) {
      if (y >= low[e] && y < high[e] && x < at[e] + (y - low[e]) * slope[e]) inside ^= 1;
    }
    if (inside) found[many++] = row;
  }
  return found.slice(0, many);
}

function bandsOf(polygon: ArrayLike<number>): Bands {
  const all = edgesOf(polygon);
  const bottom = Math.min(...all.map((edge) => edge.low));
  const top = Math.max(...all.map((edge) => edge.high));
  const xs = Array.from({ length: polygon.length >> 1 }, (_, i) => polygon[2 * i]);
  const count = Math.min(512, Math.max(1, all.length));
  const bands: (typeof all)[] = Array.from({ length: count }, () => []);
  const perStep = count / Math.max(1e-9, top - bottom);
  for (const edge of all) {
    const first = Math.max(0, Math.floor((edge.low - bottom) * perStep) - 1);
    const last = Math.min(count - 1, Math.floor((edge.high - bottom) * perStep) + 1);
    for (let band = first; band <= last; band++) bands[band].push(edge);
  }
  const flat = bands.flat();
  const starts = new Int32Array(count + 1);
  bands.forEach((band, b) => (starts[b + 1] = starts[b] + band.length));
  const column = (name: keyof (typeof flat)[0]) => Float64Array.from(flat, (edge) => edge[name]);
  const edges = { low: column("low"), high: column("high"), x: column("x"), slope: column("slope") };
  return { bottom, top, left: Math.min(...xs), right: Math.max(...xs), count, starts, edges };
}

/** The polygon's edges, closed, lower end first; level ones are left out, for no point's ray crosses them. */
function edgesOf(polygon: ArrayLike<number>): { low: number; high: number; x: number; slope: number }[] {
  const edges = [];
  const corners = polygon.length >> 1;
  for (let i = 0; i < corners; i++) {
    const j = (i + 1) % corners;
    const [x0, y0, x1, y1] = [polygon[2 * i], polygon[2 * i + 1], polygon[2 * j], polygon[2 * j + 1]];
    if (y0 === y1) continue;
    const slope = (x1 - x0) / (y1 - y0);
    edges.push(y0 < y1 ? { low: y0, high: y1, x: x0, slope } : { low: y1, high: y0, x: x1, slope });
  }
  return edges;
}
