"""What is written of scored images: a table, and for each image its map, mask and overlay."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from PIL import Image

from engine.detector.detector import Scored
from engine.exports.overlay import overlay
from engine.exports.sources import Source
from engine.files import write_whole
from engine.images import encode_mask
from engine.maps import map_to_npy, resize_map
from engine.table_files import cell

TABLE = "scores.csv"
COLUMNS = ("path", "score", "map_max", "threshold", "verdict", "error")


@dataclass(frozen=True)
class BatchOptions:
    """What to write.

    Attributes:
        out: folder; None writes nothing.
        maps: `<name>.npy`, float32 at the image's size.
        masks: `<name>_mask.png`, 255 where the map reaches `map_threshold`.
        overlays: `<name>_overlay.jpg`.
        table: `scores.csv`, a row for each file, the unreadable ones too.
        threshold: score from which an image counts as anomalous; None: no verdict.
        map_threshold: value of the map from which a pixel does.
    """

    out: Path | None = None
    maps: bool = False
    masks: bool = False
    overlays: bool = False
    table: bool = False
    threshold: float | None = None
    map_threshold: float = 0.5


class BatchWriter:
    """Takes images as they are scored; a context manager. The table appears at its end, or not at all."""

    def __init__(self, options: BatchOptions) -> None:
        self.options = options
        self.failed = 0
        self._text = io.StringIO(newline="")
        self._rows = csv.DictWriter(self._text, COLUMNS, restval="")
        self._rows.writeheader()
        if options.out:
            options.out.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> "BatchWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None and self.options.out and self.options.table:
            write_whole(self.options.out / TABLE, self._text.getvalue().encode())

    def add(self, source: Source, image: Image.Image, scored: Scored) -> dict[str, Any]:
        """Write what was asked for of one image.

        Returns:
            `image`, `score`, `map_max`; with a threshold `threshold` and `verdict`; and the files that were written.

        Raises:
            OSError: a file can't be written, because the disk is full for one.
        """
        facts: dict[str, Any] = {"score": scored.score, "map_max": float(scored.anomaly_map.max())}
        threshold = self.options.threshold
        if threshold is not None:
            facts |= {"threshold": threshold, "verdict": "anomalous" if scored.score >= threshold else "normal"}
        self._write_row({"path": source.path, **facts})
        return {"image": str(source.path), **facts, **self._write_pictures(source, image, scored)}

    def fail(self, source: Source, problem: str) -> None:
        """Take down a file that can't be read."""
        self.failed += 1
        self._write_row({"path": source.path, "error": problem})

    def _write_row(self, facts: dict[str, Any]) -> None:
        self._rows.writerow({name: cell(str(one) if isinstance(one, Path) else one) for name, one in facts.items()})

    def _write_pictures(self, source: Source, image: Image.Image, scored: Scored) -> dict[str, str]:
        options = self.options
        if options.out is None or not (options.maps or options.masks or options.overlays):
            return {}
        full = resize_map(scored.anomaly_map, image.height, image.width)
        stem = options.out / source.name
        stem.parent.mkdir(parents=True, exist_ok=True)
        written: dict[str, bytes] = {}
        if options.maps:
            written["map"] = map_to_npy(full)
        if options.masks:
            written["mask"] = encode_mask(full >= options.map_threshold)
        if options.overlays:
            buffer = io.BytesIO()
            overlay(image, full, options.map_threshold).save(buffer, "JPEG", quality=90)
            written["overlay"] = buffer.getvalue()
        endings = {"map": ".npy", "mask": "_mask.png", "overlay": "_overlay.jpg"}
        files = {kind: stem.with_name(stem.name + endings[kind]) for kind in written}
        for kind, data in written.items():
            write_whole(files[kind], data)
        return {kind: str(file) for kind, file in files.items()}
