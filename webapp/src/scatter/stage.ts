/** The map put together: points, camera, dots below and overlay above; one frame when something has changed. */
import { between, bounded, OFF, pan, pathOnMap, pixelsPerStep, toMap, toScreen, viewOf, WHOLE, zoomAbout, type Camera } from "./camera";
import { asLayer, lookOf, type Dots } from "./dots";
import { Listeners, timed } from "./events";
import { followSize } from "./follow";
import { Grid } from "./grid";
import { Hover } from "./hover";
import { rowsInside } from "./lasso";
import { Motion } from "./motion";
import type { Kind } from "./choose";
import { Overlay, type Cross, type Ring } from "./overlay";
import { Pictures } from "./pictures";
import { listen } from "./pointer";
import { Points } from "./points";
import type { DrawPicture, Events, Mode, Scatter, Theme, View } from "./scatter";
import { SplatDots } from "./splatdots";

const REACH_PX = 10;
const FLIGHT_MS = 350;
/** After the hand's last move the picture is drawn finely again. */
const SETTLE_MS = 140;

export class Stage implements Scatter {
  readonly element = document.createElement("div");
  mode: Mode = "pan";
  private background: string;
  private readonly points: Points;
  private readonly overlay: Overlay;
  private readonly pictures: Pictures;
  private readonly morph = new Motion();
  private readonly flight = new Motion();
  private readonly listeners = new Listeners();
  private camera: Camera = { ...viewOf(WHOLE, 1, 1), width: 0, height: 0 };
  private grid: Grid | null = null;
  private focus: number | null = null;
  private readonly hover = new Hover(
    (x, y) => this.rowAt(x, y),
    () => !this.morph.going && !this.flight.going,
    (row, x, y) => this.hovered(row, x, y),
  );
  private marker: { x: number; y: number; label: string } | null = null;
  private path: number[] = [];
  private frame = 0;
  private later = 0;
  private soon = 0;
  private steered = -Infinity;
  private stale = { dots: false, view: false };
  private readonly size: { look: () => void; stop: () => void };
  private readonly unlisten: () => void;

  constructor(
    parent: HTMLElement,
    count: number,
    options: Theme,
    private dots: Dots,
  ) {
    this.background = options.background;
    this.points = new Points(count, options.background);
    this.pictures = new Pictures(options.background);
    this.overlay = new Overlay(options.ink, options.background);
    this.element.style.cssText = "position:relative;width:100%;height:100%;overflow:hidden;touch-action:none;user-select:none";
    this.element.append(asLayer(this.overlay.canvas));
    this.setDots(dots);
    this.element.style.background = options.background;
    parent.append(this.element);
    this.size = followSize(this.element, (width, height, ratio) => this.resize(width, height, ratio));
    this.unlisten = this.attend();
  }

  /** From now on the splat draws: nothing but a canvas can be relied on. */
  fallBack(): void {
    this.dots.destroy();
    this.setDots(new SplatDots(this.background));
    this.dots.resize(this.camera.width, this.camera.height, devicePixelRatio);
    this.redraw();
  }

  get kind(): Kind {
    return this.dots.kind;
  }

  setPoints(xy: Uint16Array, options: { morph_ms?: number } = {}): Promise<void> {
    if (xy.length !== 2 * this.points.count) {
      throw new Error(`setPoints takes x and y of ${this.points.count} points; got ${xy.length} numbers.`);
    }
    this.grid = null;
    this.hover.moved();
    const first = this.points.xy.every((value) => value === OFF);
    this.points.go(xy, 0);
    const lasts = first ? 0 : (options.morph_ms ?? 0);
    const arrived = this.morph.start(lasts, (part) => this.points.advance(part));
    this.redraw();
    void arrived.then(() => this.prepare());
    return arrived;
  }

  setColors(place: Uint8Array | Uint16Array, palette: string[]): void {
    this.points.paint(place, palette);
    this.redraw();
  }

  setVisible(mask: Uint8Array | null): void {
    this.points.show(mask);
    this.hover.moved();
    this.redraw();
  }

  setSelected(mask: Uint8Array | null): void {
    this.points.select(mask);
    this.redraw();
  }

  setFocus(row: number | null): void {
    this.focus = row;
    this.ask();
  }

  setMarker(xy: [number, number] | null, label = ""): void {
    this.marker = xy && { x: xy[0], y: xy[1], label };
    this.ask();
  }

  setPictures(draw: DrawPicture | null): void {
    this.pictures.draw = draw;
    this.ask();
  }

  setTheme({ background, ink }: Theme): void {
    this.background = background;
    this.overlay.setTheme(ink, background);
    this.dots.setBackground(background);
    this.element.style.background = background;
    this.points.mix(background);
    this.pictures.background = background;
    this.redraw();
  }

  refresh(): void {
    this.ask();
  }

  get view(): View {
    const { x, y, zoom } = this.camera;
    return { x, y, zoom };
  }

  set view(view: View) {
    this.steer(bounded(view));
  }

  fit(): void {
    const box = { ...WHOLE };
    if (this.marker) {
      box.left = Math.min(box.left, this.marker.x);
      box.right = Math.max(box.right, this.marker.x);
      box.bottom = Math.min(box.bottom, this.marker.y);
      box.top = Math.max(box.top, this.marker.y);
    }
    this.fly(viewOf(box, this.camera.width, this.camera.height));
  }

  rowAt(x: number, y: number): number | null {
    const reach = Math.max(REACH_PX, 0.6 * this.pictures.edge) / pixelsPerStep(this.camera);
    const at = toMap(this.camera, x, y);
    const { points } = this;
    if (!this.grid) return points.nearest(at.x, at.y, reach);
    return this.grid.nearest(at.x, at.y, reach, points.visible);
  }

  placeOf(row: number): { x: number; y: number } | null {
    const place = this.points.placeOf(row);
    return place && toScreen(this.camera, place.x, place.y);
  }

  rowsInside(polygon: ArrayLike<number>): Uint32Array {
    return rowsInside(this.points.xy, this.points.visible, polygon);
  }

  on<Name extends keyof Events>(event: Name, listener: (event: Events[Name]) => void): () => void {
    return this.listeners.on(event, listener);
  }

  destroy(): void {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.later);
    clearTimeout(this.soon);
    this.hover.stop();
    this.size.stop();
    this.unlisten();
    this.morph.stop();
    this.flight.stop();
    this.dots.destroy();
    this.element.remove();
  }

  /** Once the points are still: sorting a million of them takes longer than looking at each once does. */
  private prepare(): void {
    clearTimeout(this.soon);
    this.soon = window.setTimeout(() => {
      if (!this.morph.going) this.grid ??= new Grid(this.points.xy);
    }, SETTLE_MS);
  }

  private setDots(dots: Dots): void {
    this.dots = dots;
    this.element.prepend(asLayer(dots.element));
    this.element.dataset.renderer = dots.kind;
  }

  private attend(): () => void {
    return listen(this.element, {
      mode: () => this.mode,
      panned: (dx, dy) => this.steer(pan(this.camera, dx, dy)),
      zoomed: (x, y, factor) => this.steer(zoomAbout(this.camera, x, y, factor)),
      clicked: (x, y, add) => this.listeners.tell("point", { row: timed("pick", () => this.rowAt(x, y)), add }),
      hovered: (x, y) => {
        this.hover.at(x, y);
        this.element.style.cursor = this.mode === "pan" ? (this.hover.row === null ? "" : "pointer") : "crosshair";
      },
      left: () => this.hover.left(),
      drawing: (path) => this.draw(path),
      drawn: (path, add) => this.drawn(path, add),
      dropped: () => this.draw([]),
    });
  }

  private draw(path: number[]): void {
    this.path = path;
    this.ask();
  }

  private drawn(path: number[], add: boolean): void {
    performance.mark("lasso-closed");
    this.listeners.tell("lasso", { rows: timed("lasso", () => this.rowsInside(pathOnMap(this.camera, path))), add });
  }

  private hovered(row: number | null, x: number, y: number): void {
    this.listeners.tell("hover", { row, x, y });
    this.ask();
  }

  private steer(view: View): void {
    this.flight.stop();
    this.look(view);
  }

  private fly(to: View): void {
    const from = this.view;
    void this.flight.start(FLIGHT_MS, (part) => this.look(between(from, to, part)));
    this.redraw();
  }

  private look(view: View): void {
    Object.assign(this.camera, view);
    this.steered = performance.now();
    this.stale.view = true;
    this.hover.moved();
    this.redraw();
  }

  private resize(width: number, height: number, ratio: number): void {
    Object.assign(this.camera, { width, height });
    this.hover.moved();
    this.dots.resize(width, height, ratio);
    this.overlay.resize(width, height, ratio);
    this.redraw();
    // At once: a canvas is empty after a change of its size.
    this.paint(performance.now());
  }

  private redraw(): void {
    this.stale.dots = true;
    this.ask();
  }

  private ask(): void {
    this.frame ||= requestAnimationFrame((now) => {
      this.size.look();
      this.paint(now);
    });
  }

  private paint(now: number): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    if (this.camera.width === 0) return;
    const { points, camera } = this;
    this.stale.dots ||= this.morph.going || this.flight.going;
    this.morph.step(now);
    this.flight.step(now);
    const moving = this.morph.going || this.flight.going;
    const look = lookOf(points.drawn, points.drawn - points.strong, camera);
    if (this.stale.dots) {
      const rough = moving || now - this.steered < SETTLE_MS;
      const fine = timed("draw", () => this.dots.draw(points, camera, look, rough));
      clearTimeout(this.later);
      if (!fine) this.later = window.setTimeout(() => this.redraw(), SETTLE_MS);
    }
    this.stale.dots = false;
    const pictures = this.pictures.painter(points, camera, [this.hover.row, this.focus]);
    const radius = this.pictures.edge / 2 || look.radius;
    this.overlay.draw({ path: this.path, rings: this.rings(radius), cross: this.cross() }, pictures);
    if (this.stale.view) this.listeners.tell("view", this.view);
    this.stale.view = false;
    if (moving) this.redraw();
  }

  private rings(radius: number): Ring[] {
    const square = this.pictures.edge > 0;
    const ring = (row: number | null, gap: number, width: number) => {
      const place = row === null ? null : this.placeOf(row);
      return place ? [{ ...place, radius: radius + gap / (square ? 2 : 1), width, square }] : [];
    };
    return [...ring(this.hover.row === this.focus ? null : this.hover.row, 3, 1.5), ...ring(this.focus, 5, 2.5)];
  }

  private cross(): Cross | null {
    return this.marker && { ...toScreen(this.camera, this.marker.x, this.marker.y), label: this.marker.label };
  }
}
