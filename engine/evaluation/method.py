"""What an evaluation asks of a method, and AnomalyCLIP as one."""

import hashlib
from dataclasses import dataclass, field
from typing import Protocol

from engine.detector.detector import Detector, Scored
from engine.detector.prompt_files import prompts_to_bytes
from engine.detector.prompts import Prompts
from engine.features.encoders import Encoder, local_features
from engine.features.image_features import ImageFeatures
from engine.serving.engine import Engine


class Method(Protocol):
    """Scores images whose features were encoded.

    Attributes:
        name: as on the command line.
        key: names all that its scores depend on besides the features.
        encoder: gives the features that it reads.
    """

    name: str
    key: str
    encoder: Encoder

    def score(self, features: ImageFeatures, class_name: str) -> Scored:
        """Score one image of a class."""
        ...


@dataclass
class AnomalyClip:
    """AnomalyCLIP with one set of prompts; it never reads the class's name."""

    engine: Engine
    prompts: Prompts
    name: str = "anomalyclip"
    key: str = field(init=False)
    encoder: Encoder = field(init=False)
    _detector: Detector = field(init=False)

    def __post_init__(self) -> None:
        self.key = hashlib.sha256(prompts_to_bytes(self.prompts)).hexdigest()
        self.encoder = local_features(self.engine)
        self._detector = self.engine.detector_of(self.prompts)

    def score(self, features: ImageFeatures, class_name: str) -> Scored:
        """Score one image."""
        return self.engine.score([features], self._detector)[0]
