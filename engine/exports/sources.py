"""Which images of files and folders are scored, and what is written for each is called."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.datasets.item import IMAGE_SUFFIXES
from engine.errors import EngineError


@dataclass(frozen=True)
class Source:
    """An image to score.

    Attributes:
        path: its file.
        name: what is written for it begins with this; a relative path, so that folders stay as they are.
    """

    path: Path
    name: Path


def find_sources(paths: Sequence[Path], *, out: Path | None = None) -> list[Source]:
    """The files, and the images anywhere in the folders, by name.

    Args:
        paths: files, taken whatever they are called, and folders, where hidden files and other kinds are passed over.
        out: where results go; it may lie in one of the folders, and is never read.

    Raises:
        EngineError: a folder holds no images, or two images would be written under one name.
    """
    sources = []
    for path in paths:
        if not path.is_dir():
            sources.append(Source(path, Path(path.name)))
            continue
        found = _images_in(path, out)
        if not found:
            kinds = " ".join(sorted(IMAGE_SUFFIXES))
            raise EngineError(f"{path} holds no images ({kinds}), neither directly nor in folders within.")
        within = Path(path.resolve().name) if len(paths) > 1 else Path()
        sources += [Source(one, within / one.relative_to(path)) for one in found]
    return _named_apart(sources) if out else sources


def _images_in(folder: Path, out: Path | None) -> list[Path]:
    results = out.resolve() if out else None
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in IMAGE_SUFFIXES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and results not in path.resolve().parents
    )


def _named_apart(sources: Sequence[Source]) -> list[Source]:
    """Names without suffixes, where that leaves them different: `a.png` and `a.jpg` keep theirs."""
    stems = Counter(one.name.with_suffix("") for one in sources)
    named = [Source(one.path, stem if stems[stem := one.name.with_suffix("")] == 1 else one.name) for one in sources]
    first: dict[Path, Path] = {}
    for one in named:
        if one.name in first:
            raise EngineError(
                f"{first[one.name]} and {one.path} would both be written as {one.name}. Score them into two folders."
            )
        first[one.name] = one.path
    return named
