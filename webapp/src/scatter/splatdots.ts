/** The renderer without a graphics card: stamps into an ImageData that one putImageData a frame brings to a 2-D canvas. */
import { pixelsPerStep, type Camera } from "./camera";
import type { Dots, Look } from "./dots";
import { packed } from "./palette";
import type { Points } from "./points";
import { BORDER, makeStamp, splat, type Affine, type Stamp, type Surface } from "./splat";

/** A frame that takes longer is drawn at half the resolution while it moves. */
const SLOW_MS = 22;

export class SplatDots implements Dots {
  readonly kind = "splat";
  readonly element = document.createElement("canvas");
  private readonly context: CanvasRenderingContext2D;
  private image = new ImageData(1, 1);
  private surface: Surface = { pixels: new Int32Array(1), stride: 1, rows: 1 };
  private background: number;
  private size = { width: 1, height: 1, ratio: 1 };
  /** Device pixels per CSS pixel as drawn now, at most the screen's. */
  private ratio = 1;
  private slow = false;
  private stamps = new Map<string, Stamp>();
  private readonly affine: Affine = { scaleX: 1, shiftX: 0, scaleY: 1, shiftY: 0 };

  constructor(background: string) {
    this.background = packed(background);
    const context = this.element.getContext("2d", { alpha: false, willReadFrequently: true });
    if (!context) throw new Error("This browser gives no 2-D canvas; the map needs one.");
    this.context = context;
  }

  setBackground(hex: string): void {
    this.background = packed(hex);
    this.stamps.clear();
  }

  resize(width: number, height: number, ratio: number): void {
    this.size = { width, height, ratio };
    this.slow = false;
    this.fit(ratio);
  }

  draw(points: Points, camera: Camera, look: Look, moving: boolean): boolean {
    const began = performance.now();
    const ratio = moving && this.slow ? Math.max(1, this.size.ratio / 2) : this.size.ratio;
    if (ratio !== this.ratio) this.fit(ratio);
    points.settle();
    this.surface.pixels.fill(this.background);
    this.aim(camera);
    splat(this.surface, points, 0, points.strong, this.affine, this.stamp(look.radius, look.opacity, look.rim));
    if (points.strong < points.drawn) {
      splat(this.surface, points, points.strong, points.drawn, this.affine, this.stamp(look.strongRadius, 1, look.rim));
    }
    this.context.putImageData(this.image, -BORDER, -BORDER);
    const fine = ratio === this.size.ratio;
    if (fine) this.slow = performance.now() - began > SLOW_MS;
    return fine;
  }

  destroy(): void {
    this.element.remove();
  }

  private fit(ratio: number): void {
    this.ratio = ratio;
    this.element.width = Math.max(1, Math.round(this.size.width * ratio));
    this.element.height = Math.max(1, Math.round(this.size.height * ratio));
    const [stride, rows] = [this.element.width + 2 * BORDER, this.element.height + 2 * BORDER];
    this.image = new ImageData(stride, rows);
    this.surface = { pixels: new Int32Array(this.image.data.buffer), stride, rows };
    this.stamps.clear();
  }

  private aim(camera: Camera): void {
    const scale = pixelsPerStep(camera) * this.ratio;
    // Whole pixels while it is dragged: dots keep their shape and do not flicker.
    this.affine.scaleX = scale;
    this.affine.shiftX = Math.round((camera.width / 2) * this.ratio - camera.x * scale);
    this.affine.scaleY = -scale;
    this.affine.shiftY = Math.round((camera.height / 2) * this.ratio + camera.y * scale);
  }

  private stamp(radius: number, opacity: number, rim: number): Stamp {
    const key = `${[radius * this.ratio, opacity * 10, rim * this.ratio].map((value) => Math.round(value * 8))}`;
    const known = this.stamps.get(key);
    if (known) return known;
    if (this.stamps.size > 64) this.stamps.clear();
    const [sized, dense, wide] = key.split(",").map((value) => Number(value) / 8);
    const stamp = makeStamp(sized, dense / 10, this.surface.stride, wide, this.background);
    this.stamps.set(key, stamp);
    return stamp;
  }
}
