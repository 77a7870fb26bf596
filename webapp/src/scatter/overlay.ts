/** What lies over the dots, on a canvas of its own: pictures, the path being drawn, rings, and the new image's marker. */

export interface Cross {
  x: number;
  y: number;
  label: string;
}

export interface Ring {
  x: number;
  y: number;
  radius: number;
  width: number;
  /** Around a picture instead of a dot. */
  square: boolean;
}

export interface Layer {
  /** In pixels, x and y by turns; empty: none. */
  path: number[];
  /** In pixels, the strongest last. */
  rings: Ring[];
  cross: Cross | null;
}

export class Overlay {
  readonly canvas = document.createElement("canvas");
  readonly context: CanvasRenderingContext2D;
  private width = 1;
  private height = 1;
  private ratio = 1;

  constructor(
    private ink: string,
    private background: string,
  ) {
    this.context = this.canvas.getContext("2d")!;
    this.canvas.hidden = true;
  }

  setTheme(ink: string, background: string): void {
    [this.ink, this.background] = [ink, background];
  }

  resize(width: number, height: number, ratio: number): void {
    [this.width, this.height, this.ratio] = [width, height, ratio];
    this.canvas.width = Math.max(1, Math.round(width * ratio));
    this.canvas.height = Math.max(1, Math.round(height * ratio));
  }

  /** `pictures` draws what lies beneath the rest; null where there is nothing of that kind. */
  draw(layer: Layer, pictures: ((context: CanvasRenderingContext2D) => void) | null): void {
    const { context } = this;
    const empty = !pictures && !layer.cross && layer.path.length === 0 && layer.rings.length === 0;
    // A canvas that is not laid out costs nothing when the page is put together.
    if (this.canvas.hidden !== empty) this.canvas.hidden = empty;
    if (empty) return;
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    pictures?.(context);
    this.drawPath(layer.path);
    layer.rings.forEach((ring) => this.drawRing(ring));
    if (layer.cross) this.drawCross(layer.cross);
  }

  private drawPath(path: number[]): void {
    if (path.length < 4) return;
    const { context } = this;
    context.beginPath();
    for (let i = 0; i < path.length; i += 2) context.lineTo(path[i], path[i + 1]);
    context.closePath();
    context.globalAlpha = 0.1;
    context.fillStyle = this.ink;
    context.fill("evenodd");
    context.globalAlpha = 1;
    this.outlined(1.5, [6, 4]);
  }

  private drawRing({ x, y, radius, width, square }: Ring): void {
    this.context.beginPath();
    if (square) this.context.roundRect(x - radius, y - radius, 2 * radius, 2 * radius, 4);
    else this.context.arc(x, y, radius, 0, 2 * Math.PI);
    this.outlined(width);
  }

  private drawCross({ x: wantedX, y: wantedY, label }: Cross): void {
    const { context } = this;
    const x = Math.min(this.width - 12, Math.max(12, wantedX));
    const y = Math.min(this.height - 12, Math.max(12, wantedY));
    context.beginPath();
    for (const [dx, dy] of [[1, 0], [0, 1], [-1, 0], [0, -1]]) {
      context.moveTo(x + dx * 4, y + dy * 4);
      context.lineTo(x + dx * 11, y + dy * 11);
    }
    context.moveTo(x + 7.5, y);
    context.arc(x, y, 7.5, 0, 2 * Math.PI);
    this.outlined(2);
    if (label) this.drawLabel(x, y, x === wantedX && y === wantedY ? label : `${label} (outside this view)`);
  }

  private drawLabel(x: number, y: number, words: string): void {
    const { context } = this;
    context.font = "600 12px system-ui, sans-serif";
    context.textBaseline = "middle";
    const wide = context.measureText(words).width;
    const left = x + 18 + wide > this.width ? x - 18 - wide : x + 18;
    context.lineJoin = "round";
    context.lineWidth = 4;
    context.strokeStyle = this.background;
    context.strokeText(words, left, y);
    context.fillStyle = this.ink;
    context.fillText(words, left, y);
  }

  /** The present path in the ink, on a wider line of the background, so that it shows on dots of every colour. */
  private outlined(width: number, dashes: number[] = []): void {
    const { context } = this;
    context.strokeStyle = this.background;
    context.lineWidth = width + 2.5;
    context.stroke();
    context.setLineDash(dashes);
    context.strokeStyle = this.ink;
    context.lineWidth = width;
    context.stroke();
    context.setLineDash([]);
  }
}
