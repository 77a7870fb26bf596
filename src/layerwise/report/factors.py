"""The section on factors: what is known of how each image was made, against its depth."""

from __future__ import annotations

import pandas as pd

from layerwise.plots.factors import plot_factor_effects
from layerwise.plots.words import signed
from layerwise.report.html import Html, details, figure, joined, name, number_words, paragraph, table, tag
from layerwise.report.pictures import Album
from layerwise.views.factors import factor_bins, factor_effects
from layerwise.views.run import RunView


def factor_section(view: RunView, album: Album) -> Html:
    """Mean depth along each factor, with rank correlations; nothing where no factor is known."""
    effects = factor_effects(view)
    if effects.empty:
        return Html()
    rhos = ", ".join(f"{words} {signed(rho)}" for words, rho in zip(effects["factor"], effects["rho"], strict=True))
    chart = album.chart("factors", plot_factor_effects(view), f"Rank correlation of depth with each factor: {rhos}.")
    caption = (
        f"Mean depth of {view.main_split} images in ten equally full bins of each factor, with Student 95 % "
        "intervals; ρ is Spearman's rank correlation over single images, with its Fisher 95 % interval. Unresolved "
        "images count as deepest. A correlation is no cause: factors may go together."
    )
    return joined([_result(effects), figure(chart, caption), _effects_table(view), _bins_table(view), _left_out(view)])


def _result(effects: pd.DataFrame) -> Html:
    """Which factors depth rises or falls with beyond chance."""
    clear, count = effects[effects["p_holm"] < 0.05], len(effects)
    if clear.empty:
        none = f"None of the {count} factors rises or falls" if count > 1 else "The factor neither rises nor falls"
        return paragraph(
            f"{none} with depth beyond chance; the pictures show whether depth changes in another way.",
        )
    said = [
        joined([f"{verb} with ", *_listed(rows)])
        for verb, rows in (("rises", clear[clear["rho"] > 0]), ("falls", clear[clear["rho"] < 0]))
        if len(rows)
    ]
    told = f", beyond chance after Holm's correction for {count} factors." if count > 1 else ", beyond chance."
    rest = count - len(clear)
    others = f" Of the other{f' {rest}' if rest > 1 else ''} it cannot be said." if rest else ""
    return paragraph("Depth ", said[0], *(joined(["; it ", one]) for one in said[1:]), told, others)


def _listed(rows: pd.DataFrame) -> list[str]:
    """Names with their correlations, commas between."""
    parts: list[str] = []
    for row in rows.to_dict("records"):
        parts += [", "] if parts else []
        parts += [tag("b", name(row["factor"])), f" (ρ {signed(row['rho'])})"]
    return parts


def _effects_table(view: RunView) -> Html:
    lines = [
        [
            name(row["factor"]),
            f"{row['count']:,}",
            f"{signed(row['rho'])} [{signed(row['rho_low'])}, {signed(row['rho_high'])}]",
            f"{row['p']:.2g}",
            f"{row['p_holm']:.2g}",
        ]
        for row in factor_effects(view).to_dict("records")
    ]
    return details("Rank correlations", table(["Factor", "Images", "ρ [95 %]", "p", "p, Holm"], lines))


def _bins_table(view: RunView) -> Html:
    lines = [
        [
            name(row["factor"]),
            f"{row['low']:.3g} to {row['high']:.3g}",
            f"{row['count']:,}",
            number_words(row["mean"], row["mean_low"], row["mean_high"]),
            f"{row['unresolved']:,}",
        ]
        for row in factor_bins(view).to_dict("records")
    ]
    return details("Bins", table(["Factor", "Values", "Images", "Mean depth [95 %]", "Unresolved"], lines, names=2))


def _left_out(view: RunView) -> Html:
    ranked = set(factor_effects(view)["factor"])
    others = [factor for factor in view.factors if factor not in ranked]
    return tag("p", f"Not ranked, being no numbers or always the same: {', '.join(others)}.") if others else Html()
