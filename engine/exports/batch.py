"""What is written of scored images: a table, and for each image its map, mask and overlay."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from PIL import Image

from engine.detector.detector import Scored
from engine.detector.maps import map_to_npy, resize_map
from engine.exports.overlay import overlay
from engine.exports.sources import Source, shown
from engine.files.formulas import cell
from engine.files.whole import write_whole
from engine.images.mask_files import encode_mask

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
    """Takes images as they are scored; a context manager.

    The table grows by a row for each, so that what is done stays done however the work ends.

    Args:
        options: what to write.
        ascii_names: whether the names of all files are ASCII; else the table begins with the mark that Excel needs.

    Raises:
        OSError: the folder or the table can't be written.
    """

    def __init__(self, options: BatchOptions, *, ascii_names: bool = True) -> None:
        self.options = options
        self.failed = 0
        self._table: TextIO | None = None
        if options.out:
            options.out.mkdir(parents=True, exist_ok=True)
        if options.out and options.table:
            encoding = "utf-8" if ascii_names else "utf-8-sig"
            self._table = (options.out / TABLE).open("w", newline="", encoding=encoding, errors="backslashreplace")
            self._row(dict(zip(COLUMNS, COLUMNS, strict=True)))

    def __enter__(self) -> "BatchWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._table:
            self._table.close()

    def _row(self, row: dict[str, Any]) -> None:
        if self._table:
            csv.DictWriter(self._table, COLUMNS, restval="").writerow({name: cell(one) for name, one in row.items()})
            self._table.flush()

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
        written = self._write_pictures(source, image, scored)
        self._row({"path": source.shown, **facts})
        return {"image": source.shown, **facts, **written}

    def fail(self, source: Source, problem: str) -> None:
        """Take down a file that can't be read."""
        self.failed += 1
        self._row({"path": source.shown, "error": problem})

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
        return {kind: shown(file) for kind, file in files.items()}
