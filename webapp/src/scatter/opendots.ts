import { viewOf, WHOLE } from "./camera";
import { askedRenderer, type Kind } from "./choose";
import { lookOf, type Dots } from "./dots";
import { Points } from "./points";
import { SplatDots } from "./splatdots";
import { WebglDots } from "./webgldots";

const TRIAL = { count: 20000, width: 1200, height: 800 } as const;
/** Slower, and the splat is faster; a graphics card takes about one. */
const SLOW_MS = 30;

/** The renderer asked for; the splat where WebGL fails, or where it is slow and the page's address did not insist. */
export function openDots(kind: Kind, background: string, restored: () => void): Dots {
  if (kind === "splat") return new SplatDots(background);
  try {
    const dots = new WebglDots(background, restored);
    if (askedRenderer() === "webgl" || isFast(dots, background)) return dots;
    dots.destroy();
  } catch (problem) {
    console.warn("The map is drawn without the graphics card:", problem);
  }
  return new SplatDots(background);
}

function isFast(dots: WebglDots, background: string): boolean {
  const { count, width, height } = TRIAL;
  const points = new Points(count, background);
  points.go(Uint16Array.from({ length: 2 * count }, (_, i) => Math.imul(i + 1, 40503) & 65533), 1);
  dots.resize(width, height, 1);
  const camera = { ...viewOf(WHOLE, width, height), width, height };
  const fast = dots.trial_ms(points, camera, lookOf(count, 0, camera)) < SLOW_MS;
  dots.forget();
  return fast;
}
