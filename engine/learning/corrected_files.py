"""Labelled images as corrections: what the product has once a person has said all that is known."""

from collections.abc import Sequence
from random import Random

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from engine.evaluation.datasets.item import LabelledImage
from engine.evaluation.datasets.truth import read_truth
from engine.features.image_features import ImageFeatures, surface_of
from engine.images.preprocessing import mask_shares
from engine.learning.corrections import Correction
from engine.serving.engine import Engine


def read_correction(engine: Engine, one: LabelledImage) -> Correction:
    """A labelled image as a correction; its features come from the engine's cache where it keeps one.

    An anomalous image without a mask is a weak label: nobody says where.

    Raises:
        OSError: a file can't be read.
        ImageError: the image or its mask can't be used.
    """
    data = one.image.read_bytes()
    picture = engine.decoder.decode(data)
    width, height = picture.size
    mask = read_truth(one, width=width, height=height) if one.label and one.mask is not None else None
    return make_correction(engine, engine.decoder.key(data), picture, one.label, mask, one.image.name)


def make_correction(
    engine: Engine, key: str, picture: Image.Image, label: int, mask: npt.NDArray[np.uint8] | None, name: str
) -> Correction:
    """An image with what is known of it, as a correction.

    Args:
        engine: gives its features, from its cache where it keeps one.
        key: sha256 of the image's bytes.
        picture: upright, 8 bits.
        label: 1 where something is anomalous.
        mask: (H, W), nonzero where anomalous; None: nothing is, or nobody says where. Not looked at for label 0.
        name: of the image's file; "" where there is none.
    """
    features, _ = engine.features(key, lambda: picture)
    return Correction(key, features, label, _marked(label, mask, features), name)


def _marked(label: int, mask: npt.NDArray[np.uint8] | None, features: ImageFeatures) -> torch.Tensor | None:
    """(h, w) of the surface: shares of area that are anomalous; None where nobody says."""
    surface = surface_of(features).pixels.shape[:2]
    if not label:
        return torch.zeros(surface[0], surface[1])
    return None if mask is None else mask_shares(mask, (surface[0], surface[1]))


def order_of_corrections(labels: Sequence[int], seed: int) -> list[int]:
    """In which order images are corrected: anomalous and normal in turn for as long as there are both, seeded.

    Args:
        labels: of the images, 1 where anomalous.
        seed: of the order.

    Returns:
        every position once.
    """
    order = list(range(len(labels)))
    Random(seed).shuffle(order)
    anomalous, normal = ([i for i in order if bool(labels[i]) == wanted] for wanted in (True, False))
    both = min(len(anomalous), len(normal))
    pairs = [i for pair in zip(anomalous, normal, strict=False) for i in pair]
    return [*pairs, *anomalous[both:], *normal[both:]]
