/** Dots as pictures where few enough are in view. */
import { pixelsPerStep, toMap, toScreen, type Camera } from "./camera";
import { hexOf } from "./palette";
import type { Points } from "./points";
import type { DrawPicture } from "./scatter";

const MOST = 400;
const SIZES = [22, 76] as const;
const FADED = 0.7;
const FRAME = 2;

type Painter = (context: CanvasRenderingContext2D) => void;

export class Pictures {
  draw: DrawPicture | null = null;
  /** Of a picture with its frame in pixels, as last drawn; 0: dots were. */
  edge = 0;
  /** A CSS colour; pictures of points that are not selected fade to it. */
  background: string;
  private size = 0;
  private sizedFor = "";

  constructor(background: string) {
    this.background = background;
  }

  /**
   * What draws them, those of the rows `front` last; null where there are none: nothing to draw with, or too many
   * points in view.
   */
  painter(points: Points, camera: Camera, front: (number | null)[]): Painter | null {
    const { draw } = this;
    const slots = draw && inView(points, camera);
    this.edge = 0;
    if (!slots || slots.length === 0) return null;
    const { rows, x, y, inks, selected } = points;
    slots.sort((a, b) => Number(front.includes(rows[a])) - Number(front.includes(rows[b])));
    const places = slots.map((slot) => toScreen(camera, x[slot], y[slot]));
    // One size as long as the zoom is one: pictures that change their size while they are dragged are hard to follow.
    const key = `${camera.zoom} ${camera.width} ${camera.height} ${points.drawn}`;
    if (key !== this.sizedFor) [this.size, this.sizedFor] = [sizeFor(places), key];
    this.edge = this.size + 2 * FRAME;
    return (context) =>
      slots.forEach((slot, i) => {
        const veil = selected && !selected[rows[slot]] ? this.background : null;
        const picture = (left: number, top: number, size: number) => draw(context, rows[slot], left, top, size);
        paint(context, places[i], this.size, hexOf(inks[slot]), veil, picture);
      });
  }
}

function inView(points: Points, camera: Camera): number[] | null {
  const reach = SIZES[1] / 2;
  const [a, b] = [toMap(camera, -reach, camera.height + reach), toMap(camera, camera.width + reach, -reach)];
  // At most so many can be told apart on a small map.
  const most = Math.min(MOST, Math.ceil((camera.width * camera.height) / 900));
  return pixelsPerStep(camera) > 0 ? points.within(a.x, b.x, a.y, b.y, most) : null;
}

/** So large that half of the pictures do not touch the nearest other one. */
export function sizeFor(places: { x: number; y: number }[]): number {
  const gaps = places.map((place, i) => {
    let least = Infinity;
    for (let j = 0; j < places.length; j++) {
      if (j !== i) least = Math.min(least, Math.max(Math.abs(places[j].x - place.x), Math.abs(places[j].y - place.y)));
    }
    return least;
  });
  gaps.sort((a, b) => a - b);
  const middle = gaps[gaps.length >> 1] - 2 * FRAME - 2;
  return Math.round(Math.min(SIZES[1], Math.max(SIZES[0], middle)));
}

function paint(
  context: CanvasRenderingContext2D,
  place: { x: number; y: number },
  size: number,
  frame: string,
  veil: string | null,
  draw: (x: number, y: number, size: number) => boolean,
): void {
  const [x, y] = [Math.round(place.x - size / 2), Math.round(place.y - size / 2)];
  const square = () => {
    context.beginPath();
    context.roundRect(x - FRAME, y - FRAME, size + 2 * FRAME, size + 2 * FRAME, 3);
    context.fill();
  };
  context.fillStyle = frame;
  square();
  // Not loaded yet: the frame's square in the point's colour stands for it.
  draw(x, y, size);
  if (!veil) return;
  context.globalAlpha = FADED;
  context.fillStyle = veil;
  square();
  context.globalAlpha = 1;
}
