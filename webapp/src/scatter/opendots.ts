import { viewOf, WHOLE } from "./camera";
import { askedRenderer, type Kind } from "./choose";
import { lookOf, type Dots } from "./dots";
import { Points } from "./points";
import { openReglDots, type ReglDots } from "./regldots";
import { SplatDots } from "./splatdots";

const TRIAL = { count: 20000, width: 1200, height: 800 } as const;
/** Slower, and the splat is faster; a graphics card takes about one. */
const SLOW_MS = 30;

/**
 * The renderer asked for; the splat where WebGL fails, or where it is slow and the page's address did not insist.
 * `lost`: it can draw no longer.
 */
export async function openDots(kind: Kind, background: string, lost: () => void): Promise<Dots> {
  if (kind === "splat") return new SplatDots(background);
  try {
    const dots = await openReglDots(lost);
    if (askedRenderer() === "webgl" || (await isFast(dots, background))) return dots;
    dots.destroy();
  } catch (problem) {
    console.warn("The map is drawn without the graphics card:", problem);
  }
  return new SplatDots(background);
}

async function isFast(dots: ReglDots, background: string): Promise<boolean> {
  const { count, width, height } = TRIAL;
  const points = new Points(count, background);
  points.go(Uint16Array.from({ length: 2 * count }, (_, i) => Math.imul(i + 1, 40503) & 65533), 1);
  dots.resize(width, height);
  const camera = { ...viewOf(WHOLE, width, height), width, height };
  const fast = (await dots.trial_ms(points, camera, lookOf(count, 0, camera))) < SLOW_MS;
  dots.forget();
  return fast;
}
