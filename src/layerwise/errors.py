"""Every exception that layerwise raises on purpose.

::

    LayerwiseError
    ├── InputError                    what was given cannot be used (command line: exit code 2)
    │   ├── BudgetError               no thresholds cost so little, or lose so little
    │   ├── UnknownNameError          a data set, network, tap or placement that does not exist
    │   ├── OptionError               an option of a spec, such as "digits?test=many"
    │   ├── ShapeError                an array or image of the wrong shape
    │   ├── DataError                 images or labels that cannot be used
    │   │   ├── NotEnoughExamplesError
    │   │   └── NonFiniteError        NaN or infinity, in pixels or at a tap
    │   ├── FileError                 a file that is missing, truncated or of another kind
    │   │   └── UnsafeFileError       a file that would have to execute code to be read
    │   ├── ModelError                a network that cannot be loaded or does not fit the images
    │   ├── ActivationsTooLargeError
    │   ├── StudyError                a study file, or a folder of results, that cannot be used as asked
    │   ├── RunError                  a run folder that cannot be used as asked
    │   │   └── RunExistsError
    │   └── MissingExtraError         an optional dependency that is not installed
    ├── NoCompilerError               nothing can be compiled here; the work is done without
    ├── BusyError                     too much is asked of the explorer at once; says when to ask again
    └── Interrupted                   stopped by the user; says how to go on

Each message says what was given, what is expected, and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class LayerwiseError(Exception):
    """The root: catch it to catch whatever layerwise raises on purpose."""


class InputError(LayerwiseError, ValueError):
    """What was given cannot be used."""


class BudgetError(InputError):
    """No thresholds cost so little, or lose so little."""


class UnknownNameError(InputError):
    """A name that nothing bears; the message lists near names."""


class OptionError(InputError):
    """An option of a spec that cannot be read."""


class ShapeError(InputError):
    """An array or an image of the wrong shape."""


class DataError(InputError):
    """Images or labels that cannot be used."""


class NotEnoughExamplesError(DataError):
    """Too few examples for what was asked."""


class NonFiniteError(DataError):
    """NaN or infinity where numbers are needed."""


class FileError(InputError):
    """A file that is missing, truncated or of another kind than expected."""


class UnsafeFileError(FileError):
    """A file that would have to execute code to be read."""


class ModelError(InputError):
    """A network that cannot be loaded, or does not fit the images."""


class ActivationsTooLargeError(InputError):
    """Activations that would need more memory than the limit."""


class StudyError(InputError):
    """A study file, or a folder of a study's results, that cannot be used as asked."""


class RunError(InputError):
    """A run folder that cannot be used as asked."""


class RunExistsError(RunError):
    """An output folder that already holds a run."""


class MissingExtraError(InputError):
    """An optional dependency that is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs {package}, which is not installed.\n    Install it: pip install 'layerwise[{extra}]'"
        )


class NoCompilerError(LayerwiseError):
    """There is no C++ compiler, or it refuses; says why."""


class BusyError(LayerwiseError):
    """Too much is asked at once, or what is asked for is not ready yet."""


class Interrupted(LayerwiseError):  # noqa: N818 - it is no error
    """Stopped by the user; the message says what is kept and how to go on."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: near names, or nothing.

    >>> did_you_mean("layer5", ["layer4", "fc"])
    ' Did you mean "layer4"?'
    >>> did_you_mean("zebra", ["layer4", "fc"])
    ''
    """
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.6)
    quoted = " or ".join(f'"{match}"' for match in near)
    return f" Did you mean {quoted}?" if near else ""
