/**
 * The renderer for a graphics card: regl-scatterplot, which is told where to look and how far the points are on their way.
 *
 * What it shows cannot be changed while its points are on a way. So there are two plots on one WebGL context: the one in
 * front is seen, and the one behind takes what is new and comes to the front once it shows that.
 */
import createRegl, { type Regl } from "regl";
import createScatterplot, { createRenderer, createSpatialIndex } from "regl-scatterplot";
import { pixelsPerStep, SPAN, type Camera } from "./camera";
import type { Dots, Look } from "./dots";
import { hexOf } from "./palette";
import type { Points } from "./points";
import { programs } from "./reglprograms";

const EXTENSIONS = ["OES_texture_float", "OES_element_index_uint", "WEBGL_color_buffer_float", "EXT_float_blend"];

interface Shown {
  points: Points;
  camera: Camera;
  look: Look;
}

interface Plot {
  canvas: HTMLCanvasElement;
  scatterplot: ReturnType<typeof createScatterplot>;
  /** Of what it shows, as Points counts them. */
  slots: number;
  inks: number;
  look: string;
  /** Resolves once its points are on no way. */
  way: Promise<void>;
  endWay: () => void;
}

export class ReglDots implements Dots {
  readonly kind = "webgl";
  readonly element = document.createElement("div");
  readonly regl: Regl;
  private readonly renderer: ReturnType<typeof createRenderer>;
  private front: Plot;
  private back: Plot;
  private shown: Shown | null = null;
  private sent: Promise<void> | null = null;
  private gone = false;

  /** `lost`: the graphics card is away, and nothing is shown any more. Throws where WebGL, or one of its parts, is missing. */
  constructor(
    private readonly nothing: ArrayBuffer,
    private readonly lost: () => void,
  ) {
    const canvas = document.createElement("canvas");
    const attributes = { antialias: false, preserveDrawingBuffer: true, powerPreference: "high-performance" } as const;
    const options = { canvas, attributes, extensions: EXTENSIONS, cachedCode: programs };
    this.regl = createRegl(options);
    this.renderer = createRenderer({ regl: this.regl, canvas });
    [this.front, this.back] = [this.plot(), this.plot()];
    this.regl.on("lost", lost);
  }

  setBackground(): void {
    // The canvas is transparent.
  }

  resize(width: number, height: number): void {
    this.renderer.resize(width, height);
    for (const { scatterplot } of [this.front, this.back]) void scatterplot.set({ width, height });
  }

  draw(points: Points, camera: Camera, look: Look): boolean {
    this.shown = { points, camera: { ...camera }, look };
    this.aim(this.front, this.shown);
    if (!this.isCurrent(this.front, points)) this.sent ??= this.send().catch(this.failed).finally(() => (this.sent = null));
    return true;
  }

  /** From one picture of so many points in the middle to the next, waited for: what a slow driver cannot hide. */
  async trial_ms(points: Points, camera: Camera, look: Look): Promise<number> {
    this.draw(points, camera, look);
    await this.sent;
    await this.drawn();
    const began = performance.now();
    await this.drawn();
    return performance.now() - began;
  }

  /** Resolves once the card has drawn another picture. */
  private drawn(): Promise<void> {
    const { scatterplot } = this.front;
    scatterplot.redraw();
    return new Promise((resolve) => {
      const wait = () => {
        this.regl.read({ x: 0, y: 0, width: 1, height: 1 });
        resolve();
      };
      scatterplot.subscribe("drawing", wait, 1);
    });
  }

  /** The next draw sends all points again. */
  forget(): void {
    for (const plot of [this.front, this.back]) plot.slots = plot.inks = -1;
  }

  destroy(): void {
    this.gone = true;
    for (const { scatterplot } of [this.front, this.back]) scatterplot.destroy();
    this.renderer.destroy();
    this.element.remove();
  }

  private readonly failed = (problem: unknown): void => {
    console.warn("The graphics card failed:", problem);
    if (!this.gone) this.lost();
  };

  private plot(): Plot {
    const canvas = document.createElement("canvas");
    canvas.style.cssText = "position:absolute;inset:0;visibility:hidden";
    this.element.append(canvas);
    const scatterplot = createScatterplot({
      renderer: this.renderer,
      canvas,
      cameraIsFixed: true,
      pointScaleMode: "constant",
      colorBy: "valueA",
      sizeBy: "valueB",
      opacityBy: "valueB",
      lassoInitiator: false,
    });
    return { canvas, scatterplot, slots: -1, inks: -1, look: "", way: Promise.resolve(), endWay: () => {} };
  }

  /** Shows on the plot behind what there is to show, and brings it to the front, until nothing is newer. */
  private async send(): Promise<void> {
    while (!this.gone && this.shown && !this.isCurrent(this.front, this.shown.points)) {
      const plot = this.back;
      await plot.way;
      const { points } = this.shown;
      Object.assign(plot, { slots: points.slotsVersion, inks: points.inksVersion });
      const isWhole = await this.fill(plot, points);
      if (this.gone) return;
      if (!isWhole) continue;
      [this.front, this.back] = [plot, this.front];
      this.front.canvas.style.visibility = points.drawn > 0 ? "" : "hidden";
      this.back.canvas.style.visibility = "hidden";
      this.back.endWay();
    }
  }

  /** False where the points have been sent elsewhere meanwhile. */
  private async fill(plot: Plot, points: Points): Promise<boolean> {
    if (points.drawn === 0) return true;
    const { colors, places } = coded(points.inks.subarray(0, points.drawn));
    void plot.scatterplot.set({ pointColor: colors });
    this.aim(plot, this.shown!);
    const strong = Float32Array.from({ length: points.drawn }, (_, slot) => Number(slot >= points.strong));
    const columns = (x: Float32Array, y: Float32Array) => ({
      x: x.subarray(0, points.drawn).map(toUnit),
      y: y.subarray(0, points.drawn).map(toUnit),
      valueA: places,
      valueB: strong,
    });
    const goal = columns(points.goalX, points.goalY);
    const options = { zDataType: "categorical", wDataType: "categorical", spatialIndex: this.nothing } as const;
    const onWay = points.part < 1;
    await plot.scatterplot.draw(onWay ? columns(points.startX, points.startY) : goal, options);
    if (plot.slots !== points.slotsVersion || this.gone) return false;
    if (!onWay) return true;
    const way = { ...options, transition: true, ...follow(plot, points) };
    plot.way = plot.scatterplot.draw(goal, way);
    await new Promise((resolve) => plot.scatterplot.subscribe("draw", resolve, 1));
    return true;
  }

  private isCurrent(plot: Plot, points: Points): boolean {
    return plot.slots === points.slotsVersion && plot.inks === points.inksVersion;
  }

  private aim(plot: Plot, { camera, look }: Shown): void {
    const key = `${look.radius} ${look.strongRadius} ${look.opacity}`;
    if (plot.look !== key) {
      void plot.scatterplot.set({ pointSize: [2 * look.radius, 2 * look.strongRadius], opacity: [look.opacity, 1] });
      plot.look = key;
    }
    const scale = (pixelsPerStep(camera) * SPAN) / camera.height;
    const [x, y] = [toUnit(camera.x) * scale, toUnit(camera.y) * scale];
    plot.scatterplot.view([scale, 0, 0, 0, 0, scale, 0, 0, 0, 0, 1, 0, -x, -y, 0, 1], { preventEvent: true });
  }
}

/** The renderer, ready to draw. */
export async function openReglDots(lost: () => void): Promise<ReglDots> {
  // Points are picked by the map itself: the library's own index of places would be made at each draw for nobody.
  return new ReglDots(await createSpatialIndex([[9, 9]], false), lost);
}

/** A way of the library's that is as long as ours; once the points go elsewhere, it stays where they were until it is ended. */
function follow(plot: Plot, points: Points) {
  const slots = points.slotsVersion;
  let part = points.part;
  let over = false;
  plot.endWay = () => (over = true);
  const now = () => (slots === points.slotsVersion ? (part = points.part) : part);
  // It asks for its length again at each frame.
  const lasts = { valueOf: () => (over || now() === 1 ? 0 : Infinity) };
  return { transitionDuration: lasts as unknown as number, transitionEasing: now };
}

/** The map's scale from -1 to 1. */
function toUnit(place: number): number {
  return place / (SPAN / 2) - 1;
}

/** The colours that there are, and for each point the place of its own among them. */
function coded(inks: Int32Array): { colors: string[]; places: Float32Array } {
  const known = new Map<number, number>();
  const places = new Float32Array(inks.length);
  inks.forEach((ink, slot) => {
    if (!known.has(ink)) known.set(ink, known.size);
    places[slot] = known.get(ink)!;
  });
  return { colors: [...known.keys()].map(hexOf), places };
}
