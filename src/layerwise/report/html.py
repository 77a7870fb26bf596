"""Markup that cannot forget to escape: text becomes `Html` only through `tag`, which escapes all that is not `Html`."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from layerwise.arrays.intervals import wilson_interval

VOID = {"img", "br"}
DASH = "–"
PERCENT = "\u00a0%"  # a space that does not break


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def tag(name: str, *children: str, **attributes: str) -> Html:
    """An element; children that are not `Html` are escaped, and so is every attribute.

    A trailing underscore of an attribute's name is left off, and other underscores become hyphens.

    >>> tag("p", "a < b ", tag("b", "c"), class_="x", aria_label='"')
    '<p class="x" aria-label="&quot;">a &lt; b <b>c</b></p>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(value)}"' for key, value in attributes.items()
    )
    if name in VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{joined(children)}</{name}>")


def joined(parts: Iterable[str]) -> Html:
    """Parts one after the other; those that are not `Html` are escaped."""
    return Html("".join(part if isinstance(part, Html) else html.escape(part, quote=False) for part in parts))


def name(text: str) -> Html:
    """A name that users gave (of a class, a tap, an example), kept apart from the text around it in any script."""
    return tag("bdi", "".join(c if c.isprintable() or c in "\u200c\u200d" else "�" for c in text))


def paragraph(*children: str) -> Html:
    """A paragraph."""
    return tag("p", *children)


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], *, names: int = 1) -> Html:
    """A table whose first `names` columns are words, and whose others are numbers."""
    head = tag("tr", *(tag("th", header, scope="col", class_=_kind(n, names)) for n, header in enumerate(headers)))
    body = (tag("tr", *(tag("td", cell, class_=_kind(n, names)) for n, cell in enumerate(row))) for row in rows)
    return tag("div", tag("table", tag("thead", head), tag("tbody", *body)), class_="wide")


def _kind(column: int, names: int) -> str:
    return "name" if column < names else "number"


def details(summary: str, *children: str) -> Html:
    """Something long, folded away until it is asked for."""
    return tag("details", tag("summary", summary), *children)


def figure(picture: Html, caption: str, *below: str) -> Html:
    """A picture, what it shows, and what else belongs to it."""
    return tag("figure", picture, tag("figcaption", caption), *below)


def share_words(right: int, total: int) -> str:
    """A share with its Wilson 95 % interval.

    >>> share_words(9, 10), share_words(0, 0)
    ('90.0\\xa0% [59.6, 98.2]', '–')
    """
    if total == 0:
        return DASH
    low, high = wilson_interval(right, total)
    return f"{100 * right / total:.1f}{PERCENT} {interval_words(float(low), float(high))}"


def interval_words(low: float, high: float) -> str:
    """An interval of a share in percent.

    >>> interval_words(0.5, 0.625)
    '[50.0, 62.5]'
    """
    return f"[{100 * low:.1f}, {100 * high:.1f}]"


def number_words(value: float, low: float, high: float) -> str:
    """A number with its interval, which is left out where it is unknown.

    >>> number_words(2.0, 1.5, 2.5), number_words(2.0, float("nan"), float("nan"))
    ('2.00 [1.50, 2.50]', '2.00')
    """
    return f"{value:.2f} [{low:.2f}, {high:.2f}]" if low == low else f"{value:.2f}"
