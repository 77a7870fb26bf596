/** Things that change over some time: one at a time, even at its ends, at once where less motion is preferred. */
import { eased } from "./camera";

export class Motion {
  private began = 0;
  private lasts = 0;
  private act: ((part: number) => void) | null = null;
  private done: () => void = () => {};

  get going(): boolean {
    return this.act !== null;
  }

  /** `act` is called with 0 to 1 at each step, the last time with 1. Resolves then, or when another one starts. */
  start(lasts_ms: number, act: (part: number) => void): Promise<void> {
    this.done();
    this.began = NaN;
    this.lasts = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : lasts_ms;
    if (this.lasts <= 0) {
      this.act = null;
      this.done = () => {};
      act(1);
      return Promise.resolve();
    }
    this.act = act;
    return new Promise((resolve) => (this.done = resolve));
  }

  stop(): void {
    this.act = null;
    this.done();
  }

  step(now: number): void {
    if (!this.act) return;
    // From the first frame on, however long it took to come.
    if (Number.isNaN(this.began)) this.began = now;
    const part = Math.min(1, (now - this.began) / this.lasts);
    this.act(eased(part));
    if (part === 1) this.stop();
  }
}
