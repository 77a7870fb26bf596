/** Which point is under the pointer: none while the points move below it, and found anew once they rest. */

const REST_MS = 140;

export class Hover {
  row: number | null = null;
  private pointer: { x: number; y: number } | null = null;
  private later = 0;

  constructor(
    private readonly find: (x: number, y: number) => number | null,
    private readonly rests: () => boolean,
    private readonly tell: (row: number | null, x: number, y: number) => void,
  ) {}

  at(x: number, y: number): void {
    this.pointer = { x, y };
    this.look();
  }

  left(): void {
    this.pointer = null;
    this.set(null);
  }

  /** The points lie elsewhere now, or others are shown. */
  moved(): void {
    this.set(null);
    clearTimeout(this.later);
    this.later = window.setTimeout(() => this.look(), REST_MS);
  }

  stop(): void {
    clearTimeout(this.later);
  }

  private look(): void {
    if (!this.rests()) this.moved();
    else if (this.pointer) this.set(this.find(this.pointer.x, this.pointer.y));
  }

  private set(row: number | null): void {
    if (row === this.row) return;
    this.row = row;
    this.tell(row, this.pointer?.x ?? 0, this.pointer?.y ?? 0);
  }
}
