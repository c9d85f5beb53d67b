"""Detectors with every part, of random numbers."""

from dataclasses import replace

import torch
from torch.nn import functional as F

from engine.backbone.texture import CHANNELS
from engine.detector.detector import Detector, Said
from engine.detector.heads import Heads
from engine.detector.image_head import ImageHead, block_lengths
from engine.detector.memory import WIDTH, Memory
from engine.detector.others import PATCHES, Others
from engine.detector.prompts import random_prompts
from engine.detector.refiner import COMPONENTS, FINE, Basis, Refiner, Views
from engine.serving.engine import Engine

_MEMBERS, _HIDDEN = 2, 6


def random_detector(engine: Engine, seed: int = 0) -> Detector:
    """A detector with heads, a refiner with a memory, an image head, a shift, and what it said of two images."""
    info, draw = engine.info, torch.Generator().manual_seed(seed)
    layers, width = len(info.layers), info.embed_dim
    described = sum(block_lengths(width, layers))

    def drawn(*shape: int, scale: float = 1.0) -> torch.Tensor:
        return scale * torch.randn(*shape, generator=draw)

    return replace(
        engine.detector_of(random_prompts(engine.backbone, seed)),
        heads=Heads(drawn(layers, width, scale=0.1), drawn(layers), drawn(width, scale=0.1), drawn(1)[0]),
        refiner=random_refiner(width, draw),
        image_head=ImageHead(
            drawn(described, scale=0.1), drawn(described).abs() + 1, drawn(described), drawn(3).abs(), drawn(1)[0]
        ),
        shift=0.4,
        said={key: Said(0.3, torch.rand(4, 6, generator=draw).numpy()) for key in ("a" * 64, "b" * 64)},
    )


def random_refiner(width: int, draw: torch.Generator) -> Refiner:
    """A refiner for patch features of this width, whose memory knows both kinds of patches."""

    def drawn(*shape: int, scale: float = 1.0) -> torch.Tensor:
        return scale * torch.randn(*shape, generator=draw)

    views = Views(
        Basis(drawn(width), drawn(width, COMPONENTS)),
        Basis(drawn(CHANNELS[2]), drawn(CHANNELS[2], COMPONENTS)),
        Memory(F.normalize(drawn(9, WIDTH), dim=1), F.normalize(drawn(5, WIDTH), dim=1)),
        Others(F.normalize(drawn(5, PATCHES, WIDTH), dim=2), torch.rand(5, PATCHES, 2, generator=draw), tuple("abcde")),
    )
    inputs = FINE + views.coarse_channels
    return Refiner(
        views,
        drawn(inputs),
        drawn(inputs).abs() + 5,
        (
            *(drawn(_MEMBERS, inputs, _HIDDEN, scale=0.3), drawn(_MEMBERS, _HIDDEN)),
            *(drawn(_MEMBERS, _HIDDEN, _HIDDEN, scale=0.3), drawn(_MEMBERS, _HIDDEN)),
            *(drawn(_MEMBERS, _HIDDEN, 1), drawn(_MEMBERS, 1)),
        ),
        share=0.75,
        offset=-0.2,
    )
