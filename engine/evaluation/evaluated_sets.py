"""What is evaluated of a data set's folder: its test images by class, relabelled where a protocol asks for it."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.evaluation.datasets.catalogue import DataSet, find_data_set
from engine.evaluation.datasets.discovery import find_data_sets
from engine.evaluation.datasets.item import DatasetError, LabelledImage, folders
from engine.evaluation.protocols import one_class, open_set, out_of_distribution


@dataclass(frozen=True)
class EvaluatedSet:
    """What is evaluated of a data set.

    Attributes:
        data_set: of the catalogue.
        root: its folder.
        classes: the images to test on, by class.
        has_masks: whether anomalous images should have masks.
        problems: one sentence for each class that is left out.
        known: where a protocol tells known classes from unknown ones, the names of those that are known.
    """

    data_set: DataSet
    root: Path
    classes: dict[str, list[LabelledImage]]
    has_masks: bool
    problems: list[str]
    known: tuple[str, ...] = ()

    @property
    def images(self) -> list[LabelledImage]:
        """The images of all classes."""
        return [one for some in self.classes.values() for one in some]


def read_set(data_set: DataSet, root: Path) -> EvaluatedSet:
    """The test images of a data set by class. Raises DatasetError where there are none."""
    images = data_set.read(root)
    classes: dict[str, list[LabelledImage]] = {}
    for one in images:
        if one.split == "test":
            classes.setdefault(one.class_name, []).append(one)
    if not classes:
        raise DatasetError(f"{root} holds {len(images)} images, none of them to test on.")
    empty = {one.class_name for one in images} | {folder.name for folder in folders(root) if (folder / "test").is_dir()}
    problems = [
        f"Class {name} of {root} has no images to test on, so it is left out." for name in sorted(empty - set(classes))
    ]
    if data_set.class_count and len(classes) != data_set.class_count:
        print(
            f"{root} holds {len(classes)} of the {data_set.class_count} classes of {data_set.title}.", file=sys.stderr
        )
    has_masks = any(one.mask for one in images) if data_set.has_masks is None else data_set.has_masks
    return EvaluatedSet(data_set, root, classes, has_masks, problems)


def read_all(root: Path) -> list[EvaluatedSet]:
    """Every data set among a folder's folders. Those that are none are named on stderr; DatasetError where all are."""
    found, others = find_data_sets(root)
    for folder in others:
        print(f"{folder} is no data set in a layout that is known, so it is passed over.", file=sys.stderr)
    return [read_set(*one) for one in found]


def to_tune_on(sets: Sequence[EvaluatedSet]) -> list[EvaluatedSet]:
    """The sets that every method can be tuned on: with normal and anomalous images, and a mask for each of those."""
    return [
        one
        for one in sets
        if {image.label for image in one.images} == {0, 1} and all(image.mask for image in one.images if image.label)
    ]


def with_protocol(one: EvaluatedSet, protocol: str, *, seed: int, unknown: EvaluatedSet | None = None) -> EvaluatedSet:
    """The set with the labels of one of `PROTOCOLS`. Raises DatasetError where it doesn't fit."""
    if protocol == "one_class":
        return replace(one, classes=one_class(one.images), has_masks=False)
    if protocol == "open_set":
        known, classes = open_set(one.images, seed)
        return replace(one, classes=classes, has_masks=False, known=tuple(known))
    if unknown is None:
        raise DatasetError("--protocol ood needs a folder of classes that are not known: name it by --unknown.")
    classes = out_of_distribution(one.images, unknown.images)
    return replace(one, classes=classes, has_masks=False, known=tuple(one.classes))


def pairs(names: Sequence[str], roots: Sequence[Path], one: str, other: str) -> list[tuple[DataSet, Path]]:
    """Data sets with their folders; one name serves for all. Raises DatasetError naming the options that disagree."""
    if len(names) == 1:
        names = list(names) * len(roots)
    if len(names) != len(roots):
        raise DatasetError(
            f"{one} names {len(names)} sets and {other} {len(roots)} folders; give one name, or as many."
        )
    return [(find_data_set(name), root) for name, root in zip(names, roots, strict=True)]
