"""How names and numbers are written in pictures and reports."""

from __future__ import annotations

LONGEST_LABEL = 20
JOINERS = "\u200c\u200d"  # not printable by themselves, but words of some scripts and emoji need them


def shown(name: str, longest: int = LONGEST_LABEL) -> str:
    """A name as a picture can bear it: on one line, without control characters, its middle left out if it is long.

    >>> shown("layer1.0.conv2"), shown("features.denseblock3.denselayer16.conv2"), shown("a\\nb\\x00")
    ('layer1.0.conv2', 'features…layer16.conv2', 'a b�')
    """
    printable = "".join(c if c.isprintable() or c in JOINERS else "�" for c in " ".join(name.split()))
    if len(printable) <= longest + 2:
        return printable
    head = longest * 2 // 5
    return f"{printable[:head]}…{printable[-(longest - head + 1) :]}"


def percent(share: float) -> str:
    """A share as whole percent; small ones keep a digit, and none but an exact 0 or 1 is written as 0 % or 100 %.

    >>> percent(0.314), percent(0.004), percent(0.9996), percent(1.0)
    ('31 %', '0.4 %', '99.9 %', '100 %')
    """
    if share in (0.0, 1.0):
        return f"{share:.0%}".replace("%", " %")
    if 0.01 <= share < 0.995:
        return f"{100 * share:.0f} %"
    return f"{min(max(100 * share, 0.1), 99.9):.1f} %"


def signed(number: float) -> str:
    """A number with its sign and two digits, and a true minus.

    >>> signed(-0.4213), signed(0.0)
    ('−0.42', '+0.00')
    """
    return f"{number:+.2f}".replace("-", "−")
