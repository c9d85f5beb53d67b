"""CLIP as it is: class-named sentences, the class token for the score, the last block's ordinary patches for the map.

CLIP takes one pair of sentences, CLIP-AC the mean over CLIP's templates and several state words.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine.detector.detector import Scored, score_by_texts
from engine.evaluation.baselines.texts import CLIP_AC_STATES, CLIP_TEMPLATES, ensemble, sentences, spoken
from engine.features.encoders import Encoder, plain_features
from engine.features.image_features import ImageFeatures
from engine.serving.engine import Engine


@dataclass
class Clip:
    """CLIP with the features of two texts a class.

    Args:
        engine: the backbone and the resolution.
        name: `clip` or `clip_ac`.
        sides: class name → normal sentences, anomalous sentences.
    """

    engine: Engine
    name: str
    sides: Callable[[str], tuple[list[str], list[str]]]
    key: str = field(init=False)
    encoder: Encoder = field(init=False)
    _texts: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.key = repr(self.sides("{}"))
        self.encoder = plain_features(self.engine)

    @torch.inference_mode()
    def score(self, features: ImageFeatures, class_name: str) -> Scored:
        """Score one image of a class."""
        if class_name not in self._texts:
            self._texts[class_name] = ensemble(self.engine.backbone, self.sides(class_name), unit_first=True)
        patch_size, reference = self.engine.info.patch_size, self.engine.reference
        return score_by_texts([features], self._texts[class_name], patch_size, reference=reference)[0]


def clip(engine: Engine) -> Clip:
    """CLIP with "a photo of a normal {cls}" and "a photo of an anomalous {cls}"."""
    return Clip(
        engine,
        "clip",
        lambda name: ([f"a photo of a normal {spoken(name)}"], [f"a photo of an anomalous {spoken(name)}"]),
    )


def clip_ac(engine: Engine) -> Clip:
    """CLIP with the ensemble of its photo templates and several state words."""
    normal, anomalous = CLIP_AC_STATES
    return Clip(
        engine,
        "clip_ac",
        lambda name: (sentences(normal, CLIP_TEMPLATES, name), sentences(anomalous, CLIP_TEMPLATES, name)),
    )
