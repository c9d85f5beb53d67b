"""Which images of files and folders are scored, and what is written for each is called."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import EngineError
from engine.images.suffixes import IMAGE_SUFFIXES
from names import compared

# Bytes of a name on every file system, and the longest ending that is put behind one, of a file that is being written.
_LONGEST = 255
_ENDING = len("_overlay.jpg.part")
# What is written beside an image, where OUT is the folder that it lies in.
_WRITTEN = ("_mask.png", "_overlay.jpg")
_NAMED = 5


@dataclass(frozen=True)
class Source:
    """An image to score.

    Attributes:
        path: its file.
        name: what is written for it begins with this; a relative path, so that folders stay as they are.
    """

    path: Path
    name: Path

    @property
    def shown(self) -> str:
        """The path for people and tables; bytes that are no UTF-8 as escapes."""
        return shown(self.path)


@dataclass(frozen=True)
class Sources:
    """The images, and the other files that the folders hold, which are passed over."""

    images: list[Source]
    passed_over: list[Path]

    def passed_over_words(self) -> str:
        """A sentence that counts and names them; empty where there are none."""
        if not self.passed_over:
            return ""
        count = len(self.passed_over)
        named = ", ".join(shown(path) for path in self.passed_over[:_NAMED])
        more = f" and {count - _NAMED} more" if count > _NAMED else ""
        return f"{count} file{'s' if count > 1 else ''} passed over, by their names no images: {named}{more}."


def shown(path: Path) -> str:
    """A path as text that can be printed and kept anywhere."""
    return os.fsencode(path).decode("utf-8", errors="backslashreplace")


def find_sources(paths: Sequence[Path], *, out: Path | None = None) -> Sources:
    """The files, and the images anywhere in the folders, by name.

    Args:
        paths: files, taken whatever they are called, and folders, where hidden files and other kinds are passed over.
        out: where results go; it may lie in one of the folders, or be one, and what is written there is never read.

    Raises:
        EngineError: a folder holds no images, or two images would be written under one name.
    """
    sources, passed_over = list[Source](), list[Path]()
    for path in paths:
        if not path.is_dir():
            sources.append(Source(path, Path(path.name)))
            continue
        files = list(_files_in(path, out))
        found = [one for one in files if one.suffix.lower() in IMAGE_SUFFIXES]
        if not found:
            kinds = " ".join(sorted(IMAGE_SUFFIXES))
            raise EngineError(f"{shown(path)} holds no images ({kinds}), neither directly nor in folders within.")
        passed_over += [one for one in files if one.suffix.lower() not in IMAGE_SUFFIXES]
        within = Path(path.resolve().name) if len(paths) > 1 else Path()
        sources += [Source(one, within / one.relative_to(path)) for one in found]
    return Sources(_named_apart(sources) if out else sources, passed_over)


def _files_in(folder: Path, out: Path | None) -> Iterator[Path]:
    """The files that are not hidden, by name, without results of an earlier run."""
    results = out.resolve() if out else None
    holds_images = results is not None and (results == folder.resolve() or results in folder.resolve().parents)
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if hidden or not path.is_file():
            continue
        if results in path.resolve().parents and (not holds_images or _is_result(path)):
            continue
        yield path


def _is_result(path: Path) -> bool:
    """Whether a file was written for an image that lies beside it, or is the table of all."""
    if path.name == "scores.csv" or path.suffix in (".npy", ".part"):
        return True
    written = next((path.name.removesuffix(one) for one in _WRITTEN if path.name.endswith(one)), None)
    return written is not None and any(
        one.is_file() and one.suffix.lower() in IMAGE_SUFFIXES and written in (one.stem, one.name)
        for one in path.parent.glob(f"{_escaped(written)}*")
        if one != path
    )


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _named_apart(sources: Sequence[Source]) -> list[Source]:
    """Names without suffixes, where that leaves them different: `a.png` and `a.jpg` keep theirs; long ones are cut."""
    stems = Counter(_key(_stem(one.name)) for one in sources)
    named = [Source(one.path, stem if stems[_key(stem := _stem(one.name))] == 1 else one.name) for one in sources]
    named = [Source(one.path, one.name.with_name(_fitting(one.name.name))) for one in named]
    first: dict[str, Path] = {}
    for one in named:
        if _key(one.name) in first:
            raise EngineError(
                f"{shown(first[_key(one.name)])} and {one.shown} would both be written as {shown(one.name)}. "
                "Score them into two folders."
            )
        first[_key(one.name)] = one.path
    return named


def _key(name: Path) -> str:
    # Some file systems take names that differ in case, or in the form of an accent, for one.
    return compared(name.as_posix())


def _stem(name: Path) -> Path:
    return name.with_suffix("") if name.suffix.lower() in IMAGE_SUFFIXES else name


def _fitting(name: str) -> str:
    """A name that leaves room for endings: one that is too long is cut, and told apart by a digest of the whole."""
    raw = os.fsencode(name)
    if len(raw) <= _LONGEST - _ENDING:
        return name
    digest = hashlib.sha256(raw).hexdigest()[:8]
    return f"{raw[: _LONGEST - _ENDING - 9].decode('utf-8', errors='ignore')}-{digest}"
