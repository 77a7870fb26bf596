import type { Events } from "./scatter";

type Listener<Name extends keyof Events> = (event: Events[Name]) => void;

/** Who listens to what happens on the map. */
export class Listeners {
  private readonly sets: { [Name in keyof Events]: Set<Listener<Name>> } = {
    point: new Set(),
    hover: new Set(),
    lasso: new Set(),
    view: new Set(),
  };

  on<Name extends keyof Events>(event: Name, listener: Listener<Name>): () => void {
    this.sets[event].add(listener);
    return () => this.sets[event].delete(listener);
  }

  tell<Name extends keyof Events>(event: Name, what: Events[Name]): void {
    this.sets[event].forEach((listener) => listener(what));
  }
}

/** Leaves a performance.measure named "scatter:…" for benchmarks; only the last of a name is kept. */
export function timed<Result>(name: string, act: () => Result): Result {
  const start = performance.now();
  const result = act();
  performance.clearMeasures(`scatter:${name}`);
  performance.measure(`scatter:${name}`, { start });
  return result;
}
