"""The sentences of the baselines, and their features: of one pair, or the mean over templates and state words."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.backbone.clip import Backbone

# CLIP's templates that speak of photographs (Radford et al. 2021, the ensemble for ImageNet).
CLIP_TEMPLATES = tuple(
    f"a {kind}photo of {article} {{}}."
    for kind, article in (
        *itertools.product(("", "bad ", "good ", "cropped ", "bright ", "dark ", "blurry "), ("a", "the")),
        *itertools.product(("close-up ", "black and white ", "jpeg corrupted ", "low resolution "), ("a", "the")),
        *itertools.product(("",), ("my", "one", "a small", "the small", "a large", "the large", "a cool", "the cool")),
    )
)
CLIP_AC_STATES = (
    ("normal {}", "flawless {}", "perfect {}", "undamaged {}"),
    ("anomalous {}", "damaged {}", "defective {}", "broken {}"),
)
# WinCLIP's (Jeong et al. 2023, supplement; "jpeg corrupted … the" stands there twice).
WINCLIP_STATES = (
    ("{}", "flawless {}", "perfect {}", "unblemished {}", "{} without flaw", "{} without defect", "{} without damage"),
    ("damaged {}", "{} with flaw", "{} with defect", "{} with damage"),
)
WINCLIP_TEMPLATES = (
    "a cropped photo of the {}.",
    "a close-up photo of a {}.",
    "a close-up photo of the {}.",
    "a bright photo of a {}.",
    "a bright photo of the {}.",
    "a dark photo of the {}.",
    "a dark photo of a {}.",
    "a jpeg corrupted photo of the {}.",
    "a jpeg corrupted photo of the {}.",
    "a blurry photo of the {}.",
    "a blurry photo of a {}.",
    "a photo of a {}.",
    "a photo of the {}.",
    "a photo of a small {}.",
    "a photo of the small {}.",
    "a photo of a large {}.",
    "a photo of the large {}.",
    "a photo of the {} for visual inspection.",
    "a photo of a {} for visual inspection.",
    "a photo of the {} for anomaly detection.",
    "a photo of a {} for anomaly detection.",
)
_AT_ONCE = 64


def spoken(class_name: str) -> str:
    """A class's name as a sentence has it: `metal_nut` is "metal nut"."""
    return class_name.replace("_", " ").replace("-", " ")


def sentences(states: Sequence[str], templates: Sequence[str], class_name: str) -> list[str]:
    """Every state in every template."""
    return [template.format(state.format(spoken(class_name))) for state in states for template in templates]


@torch.no_grad()
def encode_texts(backbone: Backbone, texts: Sequence[str]) -> Tensor:
    """(n, D) text features as CLIP gives them, not normalised."""
    parts = []
    for start in range(0, len(texts), _AT_ONCE):
        tokens = backbone.tokenizer(list(texts[start : start + _AT_ONCE])).to(backbone.device)
        parts.append(backbone.model.encode_text(tokens).float())
    return torch.cat(parts)


def ensemble(backbone: Backbone, sides: Sequence[Sequence[str]], *, unit_first: bool) -> Tensor:
    """(2, D), unit length: the mean features of normal sentences, and of anomalous ones.

    Args:
        backbone: whose text tower.
        sides: normal sentences, anomalous sentences.
        unit_first: bring each to unit length before the mean, as CLIP's and APRIL-GAN's ensembles do; WinCLIP's
            doesn't in anomalib's implementation.
    """
    features = [encode_texts(backbone, side) for side in sides]
    means = [(F.normalize(side, dim=-1) if unit_first else side).mean(dim=0) for side in features]
    return F.normalize(torch.stack(means), dim=-1)
