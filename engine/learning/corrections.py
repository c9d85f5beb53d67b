"""What is learnt from: corrected images, and in which folds they are judged."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.detector.detector import Detector
from engine.features.image_features import ImageFeatures

FOLDS = 5
IMAGE_FOLDS = 10  # of what is learnt of images as a whole, which is fitted in no time
# Images that look so much alike are one image twice: they are judged together.
_NEAR_DUPLICATE = 0.9995


@dataclass(frozen=True)
class Correction:
    """One corrected image.

    Attributes:
        key: sha256 of its bytes.
        features: of it, with their surface.
        label: 1 where a person found something.
        marked: (h, w) of the surface, float32, the share of each cell's area that is anomalous; None where the image
            is only called anomalous, and nobody said where.
        counting: (h, w) of the surface, float32, the share of each cell's area that counts; None: all of it does.
        name: of its file: images of one part are told by it.
    """

    key: str
    features: ImageFeatures
    label: int
    marked: Tensor | None
    name: str = ""
    counting: Tensor | None = None


def seen_by(root: Detector, corrections: Sequence[Correction]) -> list[Correction]:
    """The corrections with the class token that the root's prompts are compared with."""
    kind = root.prompts.class_token
    return [replace(one, features=one.features.by_class_token(kind)) for one in corrections]


@dataclass(frozen=True)
class Fold:
    """Positions of the corrections that are learnt from, and of those that are judged."""

    training: tuple[int, ...]
    judged: tuple[int, ...]


def judging_folds(corrections: Sequence[Correction], most: int = FOLDS) -> list[Fold]:
    """Folds in which each correction is judged once; images of one part, and near-duplicates, are in one fold.

    Returns:
        at most so many, labels spread evenly; none where there are fewer than two groups with anomalous images.
    """
    groups = _groups(corrections)
    anomalous = sum(any(corrections[i].label for i in group) for group in groups)
    if anomalous < 2:
        return []
    count = min(most, len(groups))
    ordered = sorted(
        groups, key=lambda group: (-max(corrections[i].label for i in group), _rank(corrections[group[0]]))
    )
    # Dealt there and back, so that no fold gets all that is left over of both labels.
    parts: list[list[int]] = [[] for _ in range(count)]
    for group in ordered:
        min(parts, key=len).extend(group)
    everything = range(len(corrections))
    return [Fold(tuple(i for i in everything if i not in part), tuple(sorted(part))) for part in parts]


def group_numbers(corrections: Sequence[Correction]) -> Tensor:
    """(n,) numbers: the same for corrections that belong together."""
    numbers = torch.empty(len(corrections), dtype=torch.long)
    for number, group in enumerate(_groups(corrections)):
        numbers[group] = number
    return numbers


def _groups(corrections: Sequence[Correction]) -> list[list[int]]:
    """Positions of corrections that belong together."""
    stems = [_part_of(one.name) or one.key for one in corrections]
    if 4 * len(set(stems)) < len(stems):  # names that say the same of nearly all images tell no parts
        stems = [one.key for one in corrections]
    described = F.normalize(torch.stack([_look(one.features) for one in corrections]), dim=1)
    alike = described @ described.T > _NEAR_DUPLICATE
    groups: list[list[int]] = []
    for position in range(len(corrections)):
        near = next((g for g in groups if any(alike[position, i] or stems[position] == stems[i] for i in g)), None)
        groups.append([position]) if near is None else near.append(position)
    return groups


def _look(features: ImageFeatures) -> Tensor:
    """(D + L·D,): the global feature, and each layer's mean patch."""
    return torch.cat([features.global_feature.float(), features.patch_features.float().mean(dim=1).flatten()])


def _part_of(name: str) -> str:
    """What the name says of the part: `kos01_Part3.jpg` and `kos01_Part5.jpg` are of one; "" where it says nothing."""
    stem = PurePath(name).stem
    head, mark, _ = stem.rpartition("_")
    return head if mark and any(letter.isdigit() for letter in head) else ""


def _rank(correction: Correction) -> bytes:
    """The same order whatever the order in which images were corrected."""
    return hashlib.sha256(correction.key.encode()).digest()
