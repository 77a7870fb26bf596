"""find_studies: the built-in studies by name, and files; list_studies names the built-in ones."""

from __future__ import annotations

from pathlib import Path

from layerwise.errors import UnknownNameError, did_you_mean
from layerwise.study.file import Study, read_study

CATALOG = Path(__file__).parent / "catalog"
ALL = "all"


def list_studies() -> tuple[str, ...]:
    """The names of the built-in studies: GROUP/NAME, in order."""
    return tuple(str(path.relative_to(CATALOG).with_suffix("")) for path in sorted(CATALOG.rglob("*.toml")))


def find_studies(name: Path | str) -> tuple[Study, ...]:
    """A study by its name, all of a group, or one from a file.

    Args:
        name: "GROUP/NAME", "GROUP/all", or FILE.toml.

    Raises:
        UnknownNameError: no study has this name.
        FileError, StudyError: the file cannot be used; see `read_study`.

    >>> [study.name for study in find_studies("inductive-bias/all")][:2]
    ['q1-overfit', 'q2-images']
    """
    name = str(name)
    if name.endswith(".toml"):
        return (read_study(name),)
    known = list_studies()
    group, _, last = name.rpartition("/")
    chosen = [one for one in known if one == name or (last == ALL and one.startswith(f"{group}/"))]
    if not chosen:
        groups = {f"{one.rpartition('/')[0]}/{ALL}": None for one in known}
        raise UnknownNameError(
            f'no study is called "{name}".{did_you_mean(name, [*known, *groups])}\n'
            "    List them: layerwise study list. Or give a file: NAME.toml."
        )
    return tuple(read_study(CATALOG / f"{one}.toml") for one in chosen)
