"""The tables of docs/methods/votes_cost.md, from JSON: `python -m benchmarks.votes_table [--into PAGE]`.

Reads benchmarks/results/votes.json and votes_growth.json and prints Markdown; with `--into`, each table is put between
the page's lines `<!-- NAME -->` and `<!-- end -->`, in place of the one that was there.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.growth_plot import powers_of_ten

RESULTS = Path(__file__).parent / "results"
CONTENDERS = {
    "layerwise": "layerwise",
    "sklearn": "scikit-learn",
    "faiss": "FAISS `IndexFlatL2`",
    "torch": "plain torch",
}
HOUR_S, DAY_S = 3600, 86400


def rows(header: list[str], lines: Iterable[Iterable[object]]) -> str:
    """A Markdown table."""
    cells = [header, ["---"] * len(header), *lines]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in cells)


def rivals(result: dict[str, Any]) -> str:
    """Everybody's seconds for all taps, and how often each differs from the oracle."""
    lines = []
    for name, shown in CONTENDERS.items():
        ours = name == "layerwise"
        wrong = result["wrong_votes" if ours else f"wrong_votes_{name}"]
        slower = "1" if ours else f"{result[f'speedup_{name}']:.1f}"
        lines.append([shown, f"{result['seconds'][name]:.1f}", slower, wrong])
    if "lazy_s" in result:
        depths = f"{result['wrong_depths_lazy']} depths"
        ratio = result["lazy_s"] / result["seconds"]["layerwise"]
        lines.append(["layerwise, depths only", f"{result['lazy_s']:.1f}", f"{ratio:.2f}", depths])
    base, queries = result["examples"]
    counted = f"{result['checked_votes']:,}"
    header = ["search", "seconds", "times ours", f"of {counted} votes, not the oracle's"]
    return f"{result['data']}, {base:,} × {queries:,}, {machine(result)}.\n\n{rows(header, lines)}"


def taps(result: dict[str, Any]) -> str:
    """Seconds and speed, tap by tap."""
    header = ["tap", "features", *CONTENDERS.values(), "layerwise, GFLOP/s", "reranked", "memory added, GB"]
    lines = [
        [
            f"`{tap['tap']}`",
            f"{tap['features']:,}",
            *(f"{tap['seconds'][name]:.2f}" for name in CONTENDERS),
            f"{tap['gflops']:.0f}",
            f"{tap['reranked'] / tap['queries']:.1%}",
            f"{tap['added_gb']:.2f}",
        ]
        for tap in result["taps"]
    ]
    return rows(header, lines)


def share(result: dict[str, Any]) -> str:
    """What is reached of the machine's own limit."""
    line = (
        f"Over all taps layerwise does the work of {result['gflops']:.0f} GFLOP/s (2·N·Q·D over its seconds). The best "
        f"product of matrices here reaches {result['gemm_limit_gflops']:.0f} ({result['gemm_limit_type']}): a share of "
        f"{result['gemm_share']:.0%}. "
        f"The process held {result['peak_rss_gb']:.1f} GB at most, recorded activations included."
    )
    if "e2e_speedup" in result:
        line += (
            f" Depths alone take {result['lazy_total_s']:.0f} s with their recording. Recording all taps "
            f"({result['recording_s']:.0f} s) and asking scikit-learn takes {result['e2e_speedup']:.1f} times as long."
        )
    return line


def growth(result: dict[str, Any]) -> str:
    """The fitted coefficients."""
    model = result["model"]
    terms = {"a": "N·Q·D", "b": "N·Q", "c": "(N + Q)·D"}
    lines = [[name, term, f"{powers_of_ten(model[name])} s" if model[name] else "0"] for name, term in terms.items()]
    table = rows(["coefficient", "of", "fitted"], lines)
    error = f"{len(result['points'])} points; the model's median error is {model['relative_error']:.0%}"
    return f"{table}\n\n{error} ({machine(result)})."


def imagenet(result: dict[str, Any]) -> str:
    """What ImageNet would take: extrapolated."""
    cost = result["imagenet"]
    lines = [
        ["the machine measured above, by the fitted model", f"{cost['this_machine_s'] / DAY_S:,.0f} days"],
        ["one GPU, by the assumed rates", f"{cost['gpu_total_s'] / HOUR_S:.1f} hours"],
        [f"{cost['machines']} such GPUs", f"{cost['machine_total_s'] / 60:.1f} minutes"],
    ]
    return rows(["on", "time, extrapolated"], lines)


def machine(result: dict[str, Any]) -> str:
    """Where it was measured."""
    told = result["machine"]
    return f"{told['cores']} cores with {told['instructions']}, {result['threads']} threads, torch {told['torch']}"


def tables(votes: dict[str, Any] | None, grown: dict[str, Any] | None) -> dict[str, str]:
    """Name to Markdown, of those whose results are there."""
    from_votes = {make.__name__: make(votes) for make in (rivals, taps, share)} if votes else {}
    from_growth = {make.__name__: make(grown) for make in (growth, imagenet)} if grown else {}
    return from_votes | from_growth


def fill(page: str, name_to_table: dict[str, str]) -> str:
    """The page with these tables between their lines.

    >>> fill("<!-- taps --><!-- end -->", {"taps": "| a |"})
    '<!-- taps -->\\n\\n| a |\\n\\n<!-- end -->'
    """
    for name, table in name_to_table.items():
        between = re.compile(rf"(<!-- {name} -->).*?(<!-- end -->)", re.DOTALL)
        page = between.sub(rf"\g<1>\n\n{_literal(table)}\n\n\g<2>", page)
    return page


def _literal(text: str) -> str:
    """With backslashes that `re.sub` takes for themselves."""
    return text.replace("\\", r"\\")


def main() -> None:
    """Read, and print or fill."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=RESULTS, help="the folder of votes.json and votes_growth.json")
    parser.add_argument("--into", type=Path, metavar="PAGE", help="put the tables into this page")
    options = parser.parse_args()
    read = [_read(options.results / name) for name in ("votes.json", "votes_growth.json")]
    made = tables(*read)
    if options.into is None:
        print("\n\n".join(made.values()))
    else:
        page = options.into.read_text(encoding="utf-8")
        options.into.write_text(fill(page, made), encoding="utf-8")


def _read(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


if __name__ == "__main__":
    main()
