/** More device pixels per CSS pixel than these cannot be told apart on a map of dots. */
const MOST_RATIO = 3;

type Resized = (width: number, height: number, ratio: number) => void;

/**
 * Tells the element's size in CSS pixels and the devicePixelRatio when they change. `look` looks whether they have:
 * not every browser says so when the ratio changes alone.
 */
export function followSize(element: HTMLElement, resized: Resized): { look: () => void; stop: () => void } {
  let known = "";
  let stopped = false;
  const look = () => {
    const { clientWidth: width, clientHeight: height } = element;
    const ratio = Math.min(MOST_RATIO, devicePixelRatio || 1);
    const key = `${width} ${height} ${ratio}`;
    if (stopped || width === 0 || height === 0 || key === known) return;
    known = key;
    resized(width, height, ratio);
  };
  const watcher = new ResizeObserver(look);
  watcher.observe(element);
  // A window that is moved to another screen, and a page that is enlarged, change the ratio alone.
  window.addEventListener("resize", look);
  let query: MediaQueryList | null = null;
  const watchRatio = () => {
    query?.removeEventListener("change", watchRatio);
    query = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    query.addEventListener("change", watchRatio);
    look();
  };
  const stop = () => {
    stopped = true;
    watcher.disconnect();
    window.removeEventListener("resize", look);
    query?.removeEventListener("change", watchRatio);
  };
  watchRatio();
  return { look, stop };
}
