/**
 * What is drawn: the shown points in a fixed shuffled order, so that no class covers another by the order of its rows,
 * the selected ones last. Arrays are as long as there are points and are filled anew, never made anew.
 *
 * They are shuffled only inside small tiles of the map, tile after tile: a million dots in random order over the whole
 * picture wait for memory at each dot (three times as long).
 */
import { OFF } from "./camera";
import { fadedPalette, packPalette, packed } from "./palette";

const TILE_BITS = 10;
const TILES_ACROSS = 65536 >> TILE_BITS;
const TILES = TILES_ACROSS ** 2;
const GONE = 2 * TILES;

export class Points {
  /** Where they are going, by row. */
  xy: Uint16Array;
  visible: Uint8Array | null = null;
  selected: Uint8Array | null = null;

  /** By slot, in the order of drawing: the first `drawn` are in use, the selected ones from `strong` on. */
  drawn = 0;
  strong = 0;
  readonly rows: Uint32Array;
  readonly inks: Int32Array;
  /** Now, once settled. */
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** They are `part` of the way from start to goal. */
  part = 1;
  readonly startX: Float32Array;
  readonly startY: Float32Array;
  readonly goalX: Float32Array;
  readonly goalY: Float32Array;
  /** Rise when the slots, or their colours, are others. */
  slotsVersion = 0;
  inksVersion = 0;

  private readonly order: Uint32Array;
  private readonly start: Float32Array;
  private readonly keys: Uint16Array;
  private readonly starts = new Uint32Array(GONE + 2);
  private settled = false;
  private place: Uint8Array | Uint16Array;
  private palette: string[] = [];
  private bright = packPalette([]);
  private faded = this.bright;

  constructor(
    readonly count: number,
    private background: string,
  ) {
    this.order = shuffled(count);
    this.xy = new Uint16Array(2 * count).fill(OFF);
    this.start = new Float32Array(2 * count).fill(OFF);
    [this.x, this.y, this.startX, this.startY, this.goalX, this.goalY] = Array.from({ length: 6 }, () => new Float32Array(count));
    this.keys = new Uint16Array(count);
    this.rows = new Uint32Array(count);
    this.inks = new Int32Array(count);
    this.place = new Uint8Array(count);
  }

  /** From where they are now towards `xy`; those that were not on the map appear where they are to be. */
  go(xy: Uint16Array, part: number): void {
    for (let row = 0; row < this.count; row++) {
      const [x, y] = [2 * row, 2 * row + 1];
      const gone = this.xy[x] === OFF;
      this.start[x] = gone ? xy[x] : this.start[x] + (this.xy[x] - this.start[x]) * this.part;
      this.start[y] = gone ? xy[y] : this.start[y] + (this.xy[y] - this.start[y]) * this.part;
    }
    this.xy = xy.slice();
    this.part = part;
    this.gather();
  }

  /** `part` of the way from start to goal, 0 to 1. */
  advance(part: number): void {
    this.part = part;
    this.settled = false;
  }

  /** Brings x and y to where the points are now. */
  settle(): void {
    if (this.settled) return;
    const { x, y, startX, startY, goalX, goalY, part } = this;
    for (let slot = 0; slot < this.drawn; slot++) {
      x[slot] = startX[slot] + (goalX[slot] - startX[slot]) * part;
      y[slot] = startY[slot] + (goalY[slot] - startY[slot]) * part;
    }
    this.settled = true;
  }

  /** Where a point is now; null where it is not on the map. */
  placeOf(row: number): { x: number; y: number } | null {
    if (!(row >= 0 && row < this.count) || this.xy[2 * row] === OFF) return null;
    const now = (at: number) => this.start[at] + (this.xy[at] - this.start[at]) * this.part;
    return { x: now(2 * row), y: now(2 * row + 1) };
  }

  show(mask: Uint8Array | null): void {
    this.visible = mask && this.checked(mask, "setVisible").slice();
    this.gather();
  }

  select(mask: Uint8Array | null): void {
    this.selected = mask && this.checked(mask, "setSelected").includes(1) ? mask.slice() : null;
    this.gather();
  }

  paint(place: Uint8Array | Uint16Array, palette: string[]): void {
    this.place = this.checked(place, "setColors").slice();
    this.palette = [...palette];
    this.mix(this.background);
  }

  mix(background: string): void {
    this.background = background;
    this.bright = packPalette(this.palette);
    this.faded = fadedPalette(this.bright, packed(background));
    this.ink();
  }

  inkOf(row: number): number {
    return (this.selected && !this.selected[row] ? this.faded : this.bright)[this.place[row]];
  }

  /** The row drawn nearest to (x, y), no further than `reach`: for points on their way, which no grid holds. */
  nearest(x: number, y: number, reach: number): number | null {
    this.settle();
    let best: number | null = null;
    let least = reach * reach;
    for (let slot = 0; slot < this.drawn; slot++) {
      const far = (this.x[slot] - x) ** 2 + (this.y[slot] - y) ** 2;
      if (far > least) continue;
      least = far;
      best = this.rows[slot];
    }
    return best;
  }

  /** Slots of at most `most` points inside a box of the map, or null where there are more. */
  within(left: number, right: number, bottom: number, top: number, most: number): number[] | null {
    this.settle();
    const { x, y } = this;
    const slots: number[] = [];
    for (let slot = 0; slot < this.drawn; slot++) {
      if (x[slot] < left || x[slot] > right || y[slot] < bottom || y[slot] > top) continue;
      if (slots.length === most) return null;
      slots.push(slot);
    }
    return slots;
  }

  /** Fills the slots: the shown points by tiles of where they are going, inside a tile in the shuffled order. */
  private gather(): void {
    const { order, xy, start, keys, starts, rows } = this;
    starts.fill(0);
    for (let row = 0; row < this.count; row++) starts[(keys[row] = this.keyOf(row)) + 1]++;
    for (let key = 0; key < GONE; key++) starts[key + 1] += starts[key];
    this.strong = starts[TILES];
    this.drawn = starts[GONE];
    for (let i = 0; i < this.count; i++) {
      const row = order[i];
      if (keys[row] !== GONE) rows[starts[keys[row]]++] = row;
    }
    for (let slot = 0; slot < this.drawn; slot++) {
      const at = 2 * rows[slot];
      this.startX[slot] = start[at];
      this.startY[slot] = start[at + 1];
      this.goalX[slot] = xy[at];
      this.goalY[slot] = xy[at + 1];
    }
    this.settled = false;
    this.slotsVersion++;
    this.ink();
  }

  /** The tile of a point, TILES more where it is selected (with a selection), GONE where it is not drawn. */
  private keyOf(row: number): number {
    const { xy, visible, selected } = this;
    if (xy[2 * row] === OFF || (visible && !visible[row])) return GONE;
    const tile = (xy[2 * row + 1] >> TILE_BITS) * TILES_ACROSS + (xy[2 * row] >> TILE_BITS);
    return selected && selected[row] ? TILES + tile : tile;
  }

  private ink(): void {
    const { inks, rows, place, strong } = this;
    const first = this.selected ? this.faded : this.bright;
    for (let slot = 0; slot < strong; slot++) inks[slot] = first[place[rows[slot]]];
    for (let slot = strong; slot < this.drawn; slot++) inks[slot] = this.bright[place[rows[slot]]];
    this.inksVersion++;
  }

  private checked<Values extends { length: number }>(values: Values, where: string): Values {
    if (values.length === this.count) return values;
    throw new Error(`${where} takes one value per point, ${this.count} in all; got ${values.length}.`);
  }
}

/** The numbers 0 to count - 1 in an order that is the same each time. */
function shuffled(count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  let state = 0x9e3779b9;
  for (let i = count - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = Math.floor((state / 4294967296) * (i + 1));
    const held = order[i];
    order[i] = order[j];
    order[j] = held;
  }
  return order;
}
