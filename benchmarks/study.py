"""How fast are studies, and do they survive? `python -m benchmarks.study [--quick] [--json]`.

- `speedup_loop`: the inductive-bias study (Q1 to Q7) for one seed in the notebook's plain loop, one process and one
  thread, over the same in stacks on all cores (8 seeds at once, drawing of images and processes' start included). The
  loop is timed for 60 steps of each kind of cell, and counted up to the planned epochs. With `--quick`: Q1, 100 epochs.
- `cnn_stack_speedup`, `mlp_stack_speedup`: a step of one network, on one core; `…_without_compiler` by torch alone.
- `gradient_error`: first gradients of a stack, all networks as one vector, relative to the loop's in float32.
- `recheck_s`: a finished study of 10,000 cells asked again, its file read anew.
- `kills`: processes that were ended by `kill -9` at random moments, and how many final tables have the loop's bytes.
- `overhead_processes`, `overhead_ray`: beyond the work itself, two workers with trials of five seconds (not `--quick`).
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import torch

from benchmarks.machine import describe_machine
from benchmarks.study_steps import measure_gradients, measure_steps
from benchmarks.study_store import measure_kills, measure_overhead, measure_recheck
from benchmarks.study_whole import QUICK, WHOLE, measure_whole

ROUNDS, KILLS, SLEEPERS = 21, 20, 10


def measure(*, quick: bool) -> dict[str, Any]:
    """All numbers of one run."""
    result = measure_steps(5 if quick else ROUNDS)
    for part in (
        measure_gradients,
        measure_recheck,
        lambda: measure_whole(QUICK if quick else WHOLE),
        lambda: {} if quick else measure_overhead(SLEEPERS),
        lambda: measure_kills(1, seeds=4) if quick else measure_kills(KILLS),
    ):
        print(f"so far: {', '.join(result)}", file=sys.stderr, flush=True)
        result |= part()
    return result


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")
    options = parser.parse_args()
    torch.set_num_threads(1)
    result = {**measure(quick=options.quick), "machine": describe_machine()}
    print(json.dumps(result, indent=None if options.json else 2))


if __name__ == "__main__":
    main()
