/** Finding the point under the pointer: the map cut into square cells, each with the rows of its points. */
import { OFF } from "./camera";

const POINTS_PER_CELL = 4;
const SCALE_BITS = 16;
const MOST_BITS = 9;

export class Grid {
  private readonly side: number;
  /** A cell is 2 ** shift steps of the scale wide. */
  private readonly shift: number;
  /** Rows of cell c: rows[starts[c]] up to rows[starts[c + 1]], ascending. */
  private readonly starts: Uint32Array;
  private readonly rows: Uint32Array;

  constructor(private readonly xy: Uint16Array) {
    const count = xy.length / 2;
    const bits = Math.min(MOST_BITS, Math.max(0, Math.ceil(Math.log2(Math.max(1, count / POINTS_PER_CELL)) / 2)));
    this.side = 2 ** bits;
    this.shift = SCALE_BITS - bits;
    this.starts = new Uint32Array(this.side ** 2 + 1);
    for (let row = 0; row < count; row++) if (xy[2 * row] !== OFF) this.starts[this.cellOf(row) + 1]++;
    for (let cell = 0; cell < this.side ** 2; cell++) this.starts[cell + 1] += this.starts[cell];
    this.rows = new Uint32Array(this.starts[this.side ** 2]);
    const next = this.starts.slice(0, -1);
    for (let row = 0; row < count; row++) if (xy[2 * row] !== OFF) this.rows[next[this.cellOf(row)]++] = row;
  }

  /** The shown point nearest to (x, y) and no further than `reach`; of several as near the lowest row. */
  nearest(x: number, y: number, reach: number, visible: Uint8Array | null): number | null {
    let best: number | null = null;
    let least = reach * reach;
    for (let j = this.place(y - reach); j <= this.place(y + reach); j++) {
      for (let i = this.place(x - reach); i <= this.place(x + reach); i++) {
        const cell = j * this.side + i;
        for (let at = this.starts[cell]; at < this.starts[cell + 1]; at++) {
          const row = this.rows[at];
          const far = (this.xy[2 * row] - x) ** 2 + (this.xy[2 * row + 1] - y) ** 2;
          if (far > least || (far === least && best !== null && row > best) || (visible && !visible[row])) continue;
          least = far;
          best = row;
        }
      }
    }
    return best;
  }

  private cellOf(row: number): number {
    return (this.xy[2 * row + 1] >> this.shift) * this.side + (this.xy[2 * row] >> this.shift);
  }

  /** The column or row of cells that a place falls into, or is nearest to. */
  private place(value: number): number {
    return Math.min(this.side - 1, Math.max(0, Math.floor(value / 2 ** this.shift)));
  }
}
