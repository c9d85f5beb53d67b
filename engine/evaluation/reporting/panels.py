"""Small pictures of the images on which a method is most wrong: image, map, ground truth, side by side."""

import base64
import heapq
import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from engine.detector.maps import FloatMap
from engine.images.heat import heat_colours
from engine.images.showing import to_rgb

SIDE = 160
KEPT = 12  # of a class


class WorstPanels:
    """Keeps the pictures of the images with the largest errors, and only those."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._heap: list[tuple[float, int, dict[str, Any]]] = []
        self._seen = 0

    def add(
        self,
        error: float,
        row: dict[str, Any],
        picture: Image.Image,
        anomaly_map: FloatMap,
        mask: npt.NDArray[np.uint8] | None,
    ) -> None:
        """Offer an image; it is drawn only where its error is among the largest so far, earlier ones first."""
        self._seen += 1
        if len(self._heap) == self._kept and error <= self._heap[0][0]:
            return
        entry = (error, -self._seen, {**row, "picture": _drawn(picture, anomaly_map, mask)})
        (heapq.heappush if len(self._heap) < self._kept else heapq.heapreplace)(self._heap, entry)

    def to_json(self) -> list[dict[str, Any]]:
        """The images' rows with `picture` (JPEG as base64), the largest error first."""
        return [entry for *_, entry in sorted(self._heap, key=lambda one: (-one[0], -one[1]))]


def _drawn(picture: Image.Image, anomaly_map: FloatMap, mask: npt.NDArray[np.uint8] | None) -> str:
    size = (SIDE, SIDE)
    small = to_rgb(picture).resize(size, Image.Resampling.BILINEAR)
    span = float(anomaly_map.max() - anomaly_map.min()) or 1.0
    scaled = Image.fromarray(((anomaly_map - anomaly_map.min()) / span).astype(np.float32))
    heat = heat_colours(np.asarray(scaled.resize(size, Image.Resampling.BILINEAR)))
    shown = [small, Image.blend(small, Image.fromarray(heat), 0.6)]
    if mask is not None:
        truth = Image.fromarray(mask * 255).resize(size, Image.Resampling.BILINEAR)
        shown.append(Image.composite(Image.new("RGB", size, (255, 40, 40)), small, truth.point(lambda v: v * 0.7)))
    strip = Image.new("RGB", (SIDE * len(shown), SIDE))
    for number, one in enumerate(shown):
        strip.paste(one, (SIDE * number, 0))
    buffer = io.BytesIO()
    strip.save(buffer, "JPEG", quality=80)
    return base64.b64encode(buffer.getvalue()).decode()
