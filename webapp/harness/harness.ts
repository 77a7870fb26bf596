/** The map alone, with made-up points. `?count=60000&theme=dark&clusters=10`; what a benchmark calls is on window.harness. */
import { createScatter, type Scatter } from "../src/scatter/scatter";

const asked = new URLSearchParams(location.search);
const count = Number(asked.get("count") ?? 60000);
const clusters = Number(asked.get("clusters") ?? 10);
const dark = asked.get("theme") === "dark";
const PALETTE = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#ee8866", "#44bb99", "#9988dd", "#777777"];

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const place = Uint8Array.from({ length: count }, (_, row) => Math.floor((row * clusters) / count));

/** Bent clouds around a ring, as t-SNE gives them. */
function cloud(seed: number): Uint16Array {
  const next = random(seed);
  const gauss = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  const shapes = Array.from({ length: clusters }, (_, k) => ({
    angle: (2 * Math.PI * (k + next() * 0.6)) / clusters,
    far: 11000 + 11000 * next(),
    wide: (1 + next()) * (9000 / Math.sqrt(clusters)),
    bend: 2 * next() - 1,
    turn: next() * Math.PI,
  }));
  const xy = new Uint16Array(2 * count);
  const clip = (value: number) => Math.min(65534, Math.max(0, Math.round(value)));
  for (let row = 0; row < count; row++) {
    const { angle, far, wide, bend, turn } = shapes[place[row]];
    const [a, b] = [gauss(), gauss()];
    const [u, v] = [a * wide, b * wide * 0.45 + bend * a * a * wide * 0.5];
    xy[2 * row] = clip(32767 + far * Math.cos(angle) + u * Math.cos(turn) - v * Math.sin(turn));
    xy[2 * row + 1] = clip(32767 + far * Math.sin(angle) + u * Math.sin(turn) + v * Math.cos(turn));
  }
  return xy;
}

/** Gaps between frames and what was measured, while `step` is called once a frame. */
async function frames(many: number, step: (frame: number) => void): Promise<{ gaps: number[]; draws: number[] }> {
  const gaps: number[] = [];
  const draws: number[] = [];
  const observer = new PerformanceObserver((list) =>
    list.getEntriesByName("scatter:draw").forEach((entry) => draws.push(entry.duration)),
  );
  observer.observe({ entryTypes: ["measure"] });
  let before = 0;
  for (let frame = 0; frame <= many; frame++) {
    const now = await new Promise<number>((resolve) => requestAnimationFrame(resolve));
    if (frame > 0) gaps.push(now - before);
    before = now;
    step(frame);
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  observer.disconnect();
  return { gaps, draws };
}

/** A square with a number, drawn as an example's picture. */
function picture(context: CanvasRenderingContext2D, row: number, x: number, y: number, size: number): boolean {
  context.fillStyle = `hsl(${(row * 47) % 360} 25% 82%)`;
  context.fillRect(x, y, size, size);
  context.fillStyle = "#222";
  context.font = `700 ${size * 0.6}px serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(String(place[row]), x + size / 2, y + size / 2);
  context.textAlign = "left";
  return row % 17 !== 0;
}

async function open(): Promise<Scatter> {
  const theme = dark ? { background: "#14171c", ink: "#ffffff" } : { background: "#ffffff", ink: "#111111" };
  document.body.style.background = theme.background;
  const scatter = await createScatter(document.getElementById("map")!, count, theme);
  scatter.setColors(place, PALETTE);
  await scatter.setPoints(cloud(1));
  return scatter;
}

const ready = open();
Object.assign(window, { harness: { ready, cloud, frames, picture, place, count, PALETTE } });
void ready.then((scatter) => Object.assign(window, { scatter }));
