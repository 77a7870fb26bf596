"""A study from Python: what is claimed stands in a file, is tried with eight seeds, and a verdict comes out.

    python examples/run_a_study.py FOLDER

FOLDER keeps the results: the same command runs nothing again. With larger networks leave `engine` out: then many are
trained at once, in a process for each core.
"""

from __future__ import annotations

import sys
from pathlib import Path

import layerwise as lw

FILE = Path(__file__).with_name("shifted_stripes.toml")


def main(folder: Path) -> None:
    """Run what is missing, print means and the verdict, write the report."""
    study = lw.Study.from_file(FILE)
    summary = study.run(folder, engine="loop")

    print(summary.table().round(3).to_string(index=False))
    for judged in summary.judged:
        effect = judged.finding.effect
        print(f"{judged.finding.comparison.claim}: {effect.value:.2f} ({effect.low:.2f} to {effect.high:.2f})")
    print(f"{summary.verdict}: {study.hypothesis}")
    print(f"report: {lw.write_study_report(folder)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
