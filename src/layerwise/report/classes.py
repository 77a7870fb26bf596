"""The section on classes: how deep each is, which are found where, and which are taken for each other."""

from __future__ import annotations

from layerwise.plots.depths import plot_classes_by_depth, plot_depths_of_classes
from layerwise.plots.taps import plot_confusion
from layerwise.report.html import PERCENT, Html, details, figure, interval_words, joined, name, number_words, table, tag
from layerwise.report.pictures import Album
from layerwise.views.depths import depths_of_classes
from layerwise.views.run import RunView
from layerwise.views.taps import most_confused


def class_section(view: RunView, album: Album) -> Html:
    """Depths of each class, classes at each depth, confusion."""
    split = view.main_split
    depths = figure(
        album.chart("depths-of-classes", plot_depths_of_classes(view), _depths_alt(view)),
        f"{split.capitalize()} images of each class, shallowest class on top. Blue: mean, Student 95 % interval; "
        "grey: the middle half and the middle 80 % of the images. Unresolved images count as deepest.",
    )
    by_depth = figure(
        album.chart("classes-by-depth", plot_classes_by_depth(view), "Which classes the images of each depth are."),
        f"Which labels the {split} images of each depth have.",
    )
    confusion = figure(
        album.chart("confusion", plot_confusion(view), "Confusion matrix of the network; see the table of pairs."),
        f"The network's predictions on {split} images; colour is the share of the label.",
    )
    return joined([tag("div", depths, by_depth, confusion, _confused(view), class_="pair"), _numbers(view)])


def _depths_alt(view: RunView) -> str:
    rows = depths_of_classes(view).sort_values("mean")
    means = ", ".join(f"{words} {mean:.1f}" for words, mean in zip(rows["class_name"], rows["mean"], strict=True))
    return f"Mean depth of each class: {means}."


def _confused(view: RunView) -> Html:
    rows = most_confused(view)
    if rows.empty:
        return tag("p", "The network confuses no two classes on these images.")
    lines = [
        [
            joined([name(row["label_name"]), " → ", name(row["prediction_name"])]),
            f"{row['count']:,}",
            f"{100 * row['share']:.1f}{PERCENT} {interval_words(row['share_low'], row['share_high'])}",
        ]
        for row in rows.to_dict("records")
    ]
    return tag("div", tag("h3", "Most confused"), table(["Label → prediction", "Images", "Of the label [95 %]"], lines))


def _numbers(view: RunView) -> Html:
    lines = [
        [
            name(row["class_name"]),
            f"{row['count']:,}",
            number_words(row["mean"], row["mean_low"], row["mean_high"]),
            f"{row['q50']:.0f}",
            f"{row['unresolved']:,}",
            f"{100 * row['accuracy']:.1f}{PERCENT} {interval_words(row['accuracy_low'], row['accuracy_high'])}",
        ]
        for row in depths_of_classes(view).to_dict("records")
    ]
    headers = ["Class", "Images", "Mean depth [95 %]", "Median", "Unresolved", "Network accuracy [95 %]"]
    return details("The numbers of each class", table(headers, lines))
