"""A spec is one line that says which data, or which network: "KIND", "KIND:PATH", with "?option=value&option=value".

`parse_spec` takes it apart; the functions below it read an option's value. Which kinds there are and what options
they take is said in `data.catalog` and `models.catalog`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from layerwise.errors import OptionError, UnknownNameError, did_you_mean

Value = TypeVar("Value")


@dataclass(frozen=True)
class Spec:
    """A spec taken apart: kind, path ("" when none was given) and the options as text."""

    kind: str
    path: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


def parse_spec(text: str) -> Spec:
    """Take a spec apart; which kinds and options exist is not looked at.

    Raises:
        OptionError: options that are not NAME=VALUE, or one given twice.

    >>> parse_spec("folder:photos?size=32&test=0.3")
    Spec(kind='folder', path='photos', options={'size': '32', 'test': '0.3'})
    """
    source, _, query = text.partition("?")
    kind, _, path = source.partition(":")
    options: dict[str, str] = {}
    for pair in query.split("&") if query else []:
        name, equals, value = pair.partition("=")
        if not (name and equals and value):
            raise OptionError(f'"{pair}" in "{text}" is not NAME=VALUE; expected "KIND:PATH?NAME=VALUE&NAME=VALUE".')
        if name in options:
            raise OptionError(f'option "{name}" is given twice in "{text}"; give it once.')
        options[name] = value
    return Spec(kind, path, options)


def positive(name: str, value: str) -> int:
    """A whole number from 1.

    Raises:
        OptionError: it is something else.
    """
    number = whole(name, value)
    if number < 1:
        raise OptionError(f"option {name}={value}: expected a whole number from 1.")
    return number


def whole(name: str, value: str) -> int:
    """A whole number from 0.

    Raises:
        OptionError: it is something else.
    """
    if not (value.isascii() and value.isdigit()):
        raise OptionError(f"option {name}={value}: expected a whole number from 0.")
    return int(value)


def _number(value: str) -> float:
    """NaN where it is none, which lies between no bounds."""
    try:
        return float(value)
    except ValueError:
        return float("nan")


def share(name: str, value: str) -> float:
    """A share of the examples, more than 0 and less than 1.

    Raises:
        OptionError: it is something else.
    """
    number = _number(value)
    if not 0 < number < 1:
        raise OptionError(f"option {name}={value}: expected a number more than 0 and less than 1.")
    return number


def below_one(name: str, value: str) -> float:
    """A number from 0, less than 1.

    Raises:
        OptionError: it is something else.
    """
    number = _number(value)
    if not 0 <= number < 1:
        raise OptionError(f"option {name}={value}: expected a number from 0, less than 1.")
    return number


def flag(name: str, value: str) -> bool:
    """1 or 0.

    Raises:
        OptionError: it is something else.
    """
    if value not in ("0", "1"):
        raise OptionError(f"option {name}={value}: expected 1 or 0.")
    return value == "1"


def text(name: str, value: str) -> str:  # noqa: ARG001 - read like the others
    """Any text."""
    return value


def number(name: str, value: str) -> float:
    """A number.

    Raises:
        OptionError: it is something else.
    """
    low, high = from_to(name, value)
    if low != high:
        raise OptionError(f"option {name}={value}: expected one number.")
    return low


def from_to(name: str, value: str) -> tuple[float, float]:
    """Two numbers with a comma between, or one for both.

    Raises:
        OptionError: it is something else.

    >>> from_to("noise", "0,0.05"), from_to("noise", "0.1")
    ((0.0, 0.05), (0.1, 0.1))
    """
    try:
        numbers = [float(part) for part in value.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2):
        raise OptionError(f"option {name}={value}: expected a number, or two with a comma between: {name}=0.1,0.5.")
    return numbers[0], numbers[-1]


def read_options(
    given: Mapping[str, str], readers: Mapping[str, Callable[[str, str], Any]], *, of: str
) -> dict[str, Any]:
    """The values of options by their readers.

    Raises:
        UnknownNameError: there is no such option; tells all of them, with near names.
        OptionError: a value is not what its reader expects.
    """
    unknown = [name for name in given if name not in readers]
    if unknown:
        faults = [f'"{of}" has no option "{name}".{did_you_mean(name, readers)}' for name in unknown]
        raise UnknownNameError("\n".join([*faults, f"    Its options are {', '.join(sorted(readers)) or 'none'}."]))
    return {name: readers[name](name, value) for name, value in given.items()}


def one_of(*names: str) -> Callable[[str, str], str]:
    """A reader of one of some words.

    >>> one_of("max", "average")("pool", "max")
    'max'
    """

    def read(name: str, value: str) -> str:
        if value not in names:
            raise OptionError(f"option {name}={value}: expected {' or '.join(names)}.{did_you_mean(value, names)}")
        return value

    return read


def list_of(read: Callable[[str, str], Value]) -> Callable[[str, str], tuple[Value, ...]]:
    """A reader of several values with commas between, each read by `read`.

    >>> list_of(number)("angles", "30,45")
    (30.0, 45.0)
    """
    return lambda name, value: tuple(read(name, part) for part in value.split(","))
