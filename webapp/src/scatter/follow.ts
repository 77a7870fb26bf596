/** More device pixels per CSS pixel than these cannot be told apart on a map of dots. */
const MOST_RATIO = 3;

type Resized = (width: number, height: number, ratio: number) => void;

/** Tells the element's size in CSS pixels and the devicePixelRatio, now and when they change; the answer stops that. */
export function followSize(element: HTMLElement, resized: Resized): () => void {
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
  // A window that is moved to another screen, or a page that is enlarged.
  const watchRatio = () => {
    const query = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    query.addEventListener("change", () => (stopped ? undefined : (look(), watchRatio())), { once: true });
  };
  watchRatio();
  look();
  return () => {
    stopped = true;
    watcher.disconnect();
  };
}
