"""A data set's labelled images as corrections: what the product has once a person has said all that is known."""

from collections.abc import Sequence
from functools import partial
from random import Random

import torch

from engine.datasets.item import LabelledImage
from engine.datasets.truth import read_truth
from engine.features import ImageFeatures, surface_of
from engine.learning.corrections import Correction
from engine.preprocess import mask_shares
from engine.serving import Engine


def read_correction(engine: Engine, one: LabelledImage) -> Correction:
    """A labelled image as a correction; its features come from the engine's cache where it keeps one.

    An anomalous image without a mask is a weak label: nobody says where.

    Raises:
        OSError: a file can't be read.
        ImageError: the image or its mask can't be used.
    """
    data = one.image.read_bytes()
    picture = engine.decoder.decode(data)
    key = engine.decoder.key(data)
    features, _ = engine.features(key, partial(engine.decoder.decode, data))
    marked = _marked(one, picture.size, features)
    return Correction(key, features, one.label, marked, one.image.name)


def _marked(one: LabelledImage, size: tuple[int, int], features: ImageFeatures) -> torch.Tensor | None:
    """(h, w) of the surface: shares of area that are anomalous; None where nobody says."""
    surface = surface_of(features).pixels.shape[:2]
    if not one.label:
        return torch.zeros(surface[0], surface[1])
    if one.mask is None:
        return None
    width, height = size
    return mask_shares(read_truth(one, width=width, height=height), (surface[0], surface[1]))


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
