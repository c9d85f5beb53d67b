"""Files scored with the device kept busy: decoded in threads ahead of the model, and in batches where that pays."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from torch import Tensor

from engine.errors import ImageError
from engine.images import decode_image
from engine.serving import Engine, Scored
from engine.tiles import score_in_tiles

# Batches decoded before they are asked for; bounds the memory that pictures take.
_AHEAD = 2


@dataclass(frozen=True)
class ScoredFile:
    """What came of one file: `image` and `scored`, or the `problem` why it could not be read."""

    path: Path
    image: Image.Image | None = None
    scored: Scored | None = None
    problem: OSError | ImageError | None = None


def score_files(
    engine: Engine, text_features: Tensor, paths: Sequence[Path], tile_side: int | None = None
) -> Iterator[ScoredFile]:
    """Score files with the text features (2, D) of some prompts, in their order; none is left out.

    `tile_side` px: larger images are scored in tiles too, see `score_in_tiles`.
    """
    for batch in _decoded(paths, engine.batch_size):
        pictures = [one.image for one in batch if one.image is not None]
        if tile_side:
            scores = iter([score_in_tiles(engine, one, text_features, tile_side) for one in pictures])
        else:
            scores = iter(engine.score_images(pictures, text_features) if pictures else ())
        for one in batch:
            yield one if one.problem else ScoredFile(one.path, one.image, next(scores))


def _decoded(paths: Sequence[Path], size: int) -> Iterator[list[ScoredFile]]:
    """Batches of files, not yet scored. Pillow lets go of Python's lock while it decodes."""
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
        coming: deque[list[Future[ScoredFile]]] = deque()
        for start in range(0, len(paths), size):
            coming.append([threads.submit(_decode, path) for path in paths[start : start + size]])
            if len(coming) > _AHEAD:
                yield [future.result() for future in coming.popleft()]
        for batch in coming:
            yield [future.result() for future in batch]


def _decode(path: Path) -> ScoredFile:
    try:
        return ScoredFile(path, decode_image(path.read_bytes()))
    except (OSError, ImageError) as error:
        return ScoredFile(path, problem=error)
