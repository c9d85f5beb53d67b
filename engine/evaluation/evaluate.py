"""One method on one class of a data set: scores, metrics, and what could not be used, named.

Features come from the cache where it has them; maps are dropped as soon as they are counted.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from engine.detector.detector import Scored
from engine.detector.maps import resize_map
from engine.errors import ImageError
from engine.evaluation.datasets.item import LabelledImage
from engine.evaluation.datasets.truth import read_truth
from engine.evaluation.method import Method
from engine.evaluation.metrics.of_arrays import auroc, average_precision, f1_max
from engine.evaluation.metrics.spilled import PixelMetrics
from engine.evaluation.reporting.panels import WorstPanels
from engine.evaluation.reporting.results import ClassResult
from engine.features.encoders import Encoder
from engine.features.image_features import FeatureCache, ImageFeatures
from engine.images.decoding import Decoder
from engine.images.preprocessing import preprocess_mask

Mask = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Bench:
    """What all methods are evaluated with.

    Attributes:
        image_size: side s of the maps, at which pixels are compared.
        cache: folder of the features; None keeps none.
        cache_bytes: how much it may hold.
        scratch: folder for the maps' values while a class is measured; None: the system's.
        batch_size: images encoded at a time; batches are the same whether a run is resumed or not.
        keep_small: see `preprocess_mask`.
        decoder: how files are decoded: with which limits, and how more than 8 bits are seen.
    """

    image_size: int
    cache: Path | None = None
    cache_bytes: int = 32 << 30
    scratch: Path | None = None
    batch_size: int = 1
    keep_small: bool = True
    decoder: Decoder = field(default_factory=Decoder)


def evaluate_class(
    method: Method,
    images: Sequence[LabelledImage],
    bench: Bench,
    *,
    root: Path,
    has_masks: bool,
    on_image: Callable[[], None] = lambda: None,
) -> ClassResult:
    """Score and measure one class.

    Args:
        method: scores each image.
        images: of one class, at least one.
        bench: resolution, cache and folders.
        root: the data set's folder; images are named relative to it.
        has_masks: whether anomalous images should have masks; without, there are no pixel metrics.
        on_image: called once an image, for progress.

    Raises:
        OSError: the disk is full.
    """
    name = images[0].class_name
    rows: list[dict[str, Any]] = []
    problems: list[str] = []
    panels = WorstPanels()
    with PixelMetrics(bench.scratch) as pixels:
        for one, picture, features in encoded(images, method.encoder, bench, problems):
            scored = _at_bench(method.score(features, name), bench)
            mask = _truth(one, picture, bench, problems) if has_masks else None
            if mask is not None:
                pixels.add(mask, scored.anomaly_map)
            error = image_error(one.label, scored, mask)
            row = {
                "image": os.path.relpath(one.image, root),
                "label": one.label,
                "defect": one.defect,
                "score": scored.score,
            }
            rows.append({**row, "error": error})
            panels.add(error, rows[-1], picture, scored.anomaly_map, mask)
            on_image()
        found = pixels.metrics()
    if not rows:
        problems.append(
            f"Class {name}: none of its {len(images)} images could be read, so it is left out of the means."
        )
    return ClassResult(name, {**image_metrics(rows), **_defined(found)}, rows, problems, panels.to_json())


def _at_bench(scored: Scored, bench: Bench) -> Scored:
    return replace(scored, anomaly_map=resize_map(scored.anomaly_map, bench.image_size, bench.image_size))


def encoded(
    images: Sequence[LabelledImage], encoder: Encoder, bench: Bench, problems: list[str]
) -> Iterator[tuple[LabelledImage, Image.Image, ImageFeatures]]:
    """Each image that can be read, with its features; the others become problems."""
    cache = FeatureCache(bench.cache, encoder.cache_key, bench.cache_bytes) if bench.cache else None
    for start in range(0, len(images), bench.batch_size):
        readable = []
        for one in images[start : start + bench.batch_size]:
            try:
                data = one.image.read_bytes()
                readable.append((one, bench.decoder.decode(data), bench.decoder.key(data)))
            except (OSError, ImageError) as error:
                problems.append(f"{one.image}: {error}")
        found = [cache.get(key) if cache else None for _, _, key in readable]
        if readable and not all(found):
            found = list(encoder.encode([picture for _, picture, _ in readable]))
            for (_, _, key), features in zip(readable, found, strict=True):
                if cache and features:
                    cache.put(key, features)
        for (one, picture, _), features in zip(readable, found, strict=True):
            if features is not None:
                yield one, picture, encoder.pick(features)


def _truth(one: LabelledImage, picture: Image.Image, bench: Bench, problems: list[str]) -> Mask | None:
    """(s, s) of 0 and 1, or None with a problem where an anomalous image has no mask that can be used."""
    if not one.label:
        return np.zeros((bench.image_size, bench.image_size), dtype=np.uint8)
    if one.mask is None:
        problems.append(f"{one.image}: it is anomalous and has no mask; it counts for the image's metrics alone.")
        return None
    try:
        mask = read_truth(one, width=picture.width, height=picture.height)
    except ImageError as error:
        problems.append(f"{one.image}: {error} It counts for the image's metrics alone.")
        return None
    return preprocess_mask(mask, bench.image_size, keep_small=bench.keep_small).numpy()


def image_error(label: int, scored: Scored, mask: Mask | None) -> float:
    """How wrong a method is on an image, 0–1: |label − score|, and where the image has both kinds of pixels the mean
    of that and 1 − pixel AUROC within the image."""
    image = abs(label - scored.score)
    if mask is None or mask.min() == mask.max():
        return image
    return (image + 1 - auroc(mask, scored.anomaly_map)) / 2


def image_metrics(rows: Sequence[dict[str, Any]]) -> dict[str, float | None]:
    """AUROC, AP and F1-max of the images' scores; None where they are all normal or all anomalous."""
    labels, scores = np.array([row["label"] for row in rows]), np.array([row["score"] for row in rows])
    if len(set(labels.tolist())) < 2:
        return {"image_auroc": None, "image_ap": None, "image_f1_max": None}
    return {
        "image_auroc": auroc(labels, scores),
        "image_ap": average_precision(labels, scores),
        "image_f1_max": f1_max(labels, scores)[0],
    }


def _defined(metrics: dict[str, float]) -> dict[str, float | None]:
    return {name: None if np.isnan(value) else value for name, value in metrics.items()}
