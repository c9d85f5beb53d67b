"""Protocols on folders of classes, at image level: which images count as anomalies, and what scores them.

One-class: each class in turn is normal and all others are anomalies; any method scores, told the normal class's name.
Out-of-distribution and open-set: some classes are known by name, images of all others are to be found; the score is
1 − the greatest of the known classes' probabilities (maximum concept matching, Ming et al. 2022).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.detector.detector import Scored
from engine.detector.scoring import TEMPERATURE
from engine.evaluation.baselines.texts import CLIP_TEMPLATES, encode_texts, sentences
from engine.evaluation.datasets.item import DatasetError, LabelledImage
from engine.features.encoders import Encoder, plain_features
from engine.features.image_features import ImageFeatures
from engine.serving.engine import Engine

PROTOCOLS = ("one_class", "ood", "open_set")
_KNOWN_AND_UNKNOWN = "known against unknown"


def one_class(images: Sequence[LabelledImage]) -> dict[str, list[LabelledImage]]:
    """For each class all images, labelled 1 where they are of another class; the kind of defect is their own class."""
    names = sorted({one.class_name for one in images})
    return {
        name: [
            replace(one, label=int(one.class_name != name), mask=None, class_name=name, defect=one.class_name)
            for one in images
        ]
        for name in names
    }


def out_of_distribution(
    known: Sequence[LabelledImage], unknown: Sequence[LabelledImage]
) -> dict[str, list[LabelledImage]]:
    """Images of a set whose classes are known, and of another, labelled 1."""
    return {_KNOWN_AND_UNKNOWN: [*_labelled(known, 0), *_labelled(unknown, 1)]}


def open_set(images: Sequence[LabelledImage], seed: int) -> tuple[list[str], dict[str, list[LabelledImage]]]:
    """Half of the classes, drawn by the seed, are known; images of the others are labelled 1.

    Returns:
        the known classes, and the images.

    Raises:
        DatasetError: there are fewer than three classes.
    """
    names = sorted({one.class_name for one in images})
    if len(names) < 3:
        raise DatasetError(f"Open-set recognition needs at least three classes; there are: {', '.join(names)}.")
    known = sorted(np.random.default_rng(seed).permutation(names)[: (len(names) + 1) // 2].tolist())
    chosen = [one for one in images if one.class_name in known], [one for one in images if one.class_name not in known]
    return known, out_of_distribution(*chosen)


def _labelled(images: Sequence[LabelledImage], label: int) -> list[LabelledImage]:
    return [
        replace(one, label=label, mask=None, class_name=_KNOWN_AND_UNKNOWN, defect=one.class_name) for one in images
    ]


@dataclass
class ConceptMatching:
    """Scores how little an image is of any known class; it has no map (a constant one).

    Args:
        engine: backbone and resolution.
        known: names of the known classes.
    """

    engine: Engine
    known: Sequence[str]
    name: str = "mcm"
    key: str = field(init=False)
    encoder: Encoder = field(init=False)
    _texts: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.key = f"mcm {list(self.known)}"
        self.encoder = plain_features(self.engine)
        texts = [sentences(("{}",), CLIP_TEMPLATES, name) for name in self.known]
        features = [F.normalize(encode_texts(self.engine.backbone, one), dim=-1).mean(dim=0) for one in texts]
        self._texts = F.normalize(torch.stack(features), dim=-1)

    @torch.inference_mode()
    def score(self, features: ImageFeatures, class_name: str) -> Scored:
        """Score one image: 1 − max softmax over the known classes."""
        similarity = features.global_feature.to(self._texts.device).float() @ self._texts.T
        score = 1 - float((similarity / TEMPERATURE).softmax(dim=-1).max())
        return Scored(score, np.full((self.engine.image_size,) * 2, score, dtype=np.float32))
