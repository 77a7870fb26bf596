"""How many rows do sketches leave? `python -m benchmarks.sketches RUN [--taps conv1,relu] [--json]`.

For a run's training images as the base, and 200 test images as queries: for each number of directions the share of the
squared length that they leave, and the mean number of rows whose sketch is near enough to be one of the 30 nearest. No
timing: what the gain of sketches is made of.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from benchmarks.activations import Job, load_subject, record_taps
from benchmarks.machine import describe_machine
from layerwise.neighbors.frame import Frame
from layerwise.neighbors.plan import SHORT_REST
from layerwise.neighbors.search import find_neighbors
from layerwise.neighbors.sketch import Directions, principal_columns
from layerwise.neighbors.sketch_pass import MOST_CANDIDATES

K = 30
LENGTHS = (128, 256, 512, 1024)


def rows_left(queries: torch.Tensor, base: torch.Tensor) -> list[dict[str, float]]:
    """For each length: the share of the squared norms left, and rows a query that must be measured in full."""
    frame = Frame.over(queries, base)
    columns = principal_columns(base, frame, LENGTHS[-1])
    farthest = torch.from_numpy(find_neighbors(queries, base, K).squared_distances[:, -1:]).sqrt() * frame.scale
    table = []
    for length in (length for length in LENGTHS if length <= columns.shape[1]):
        directions = Directions.along(columns[:, :length])
        inside = directions.sketch(base, frame)
        rest = (inside.norms - inside.squared_lengths).clamp(min=0).sum() / inside.norms.sum()
        norm = float(inside.norms.mean().sqrt())
        directions = Directions.along(columns[:, :length], shortest_rest=norm * SHORT_REST)
        asked, kept = directions.sketch(queries, frame), directions.sketch(base, frame)
        apart = torch.cdist(asked.vectors.double(), kept.vectors.double())
        left = (apart <= farthest + asked.radii[:, None] + kept.radii).sum(dim=1).double()
        table.append(
            {
                "directions": length,
                "rest_share": round(float(rest), 4),
                "rows_left": round(float(left.mean()), 1),
                "queries_left_to_products": round(float((left > MOST_CANDIDATES * len(base)).double().mean()), 4),
            }
        )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="a run folder with a trained network")
    parser.add_argument("--taps", default="conv1,relu,layer1", help="names with commas between")
    parser.add_argument("--base", type=int, default=10_000, help="training images")
    parser.add_argument("--queries", type=int, default=200, help="test images")
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")
    options = parser.parse_args()
    subject = load_subject(Job(options.base, options.queries, 0, run=options.run), Path(options.run))
    tables = {}
    for name in options.taps.split(","):
        recorded = record_taps(subject, [name])
        queries, base = (torch.from_numpy(part.flat(name)) for part in (recorded.queries, recorded.base))
        tables[name] = {"features": base.shape[1], "sketches": rows_left(queries, base)}
    result = {"base": options.base, "queries": options.queries, "taps": tables, "machine": describe_machine()}
    print(json.dumps(result, indent=None if options.json else 2))


if __name__ == "__main__":
    main()
