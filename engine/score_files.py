"""Files scored with the device kept busy: read in threads ahead of the model, and in batches where that pays."""

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
from engine.preprocess import Pixels, to_pixels
from engine.serving import Engine, Scored
from engine.tiles import score_in_tiles

# Batches read or scored before they are asked for; bounds the memory that pictures take.
_AHEAD = 3


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
    reader, scorer = _Reader(None if tile_side else engine.image_size), _Scorer(engine, text_features, tile_side)
    # A GPU has one batch to work on while another's bytes go there, and maps come back; a CPU would share its cores.
    at_once = 2 if engine.backbone.device.type == "cuda" else 1
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as readers, ThreadPoolExecutor(at_once) as scorers:
        coming: deque[Future[list[ScoredFile]]] = deque()
        for start in range(0, len(paths), engine.batch_size):
            read = [readers.submit(reader, path) for path in paths[start : start + engine.batch_size]]
            coming.append(scorers.submit(scorer, read))
            if len(coming) > _AHEAD:
                yield from coming.popleft().result()
        for batch in coming:
            yield from batch.result()


@dataclass(frozen=True)
class _ReadFile:
    path: Path
    image: Image.Image | None = None
    pixels: Pixels | None = None
    problem: OSError | ImageError | None = None


@dataclass(frozen=True)
class _Reader:
    """A file → its image, and its pixels as the model takes them, which tiles don't need (`image_size` None).

    Pillow lets go of Python's lock meanwhile.
    """

    image_size: int | None

    def __call__(self, path: Path) -> _ReadFile:
        try:
            image = decode_image(path.read_bytes())
        except (OSError, ImageError) as error:
            return _ReadFile(path, problem=error)
        return _ReadFile(path, image, to_pixels(image, self.image_size) if self.image_size else None)


@dataclass(frozen=True)
class _Scorer:
    """A batch of files that are being read → the same, scored."""

    engine: Engine
    text_features: Tensor
    tile_side: int | None

    def __call__(self, coming: Sequence[Future[_ReadFile]]) -> list[ScoredFile]:
        files = [future.result() for future in coming]
        scores = iter(self._scores([file for file in files if file.problem is None]))
        return [
            ScoredFile(file.path, file.image, None if file.problem else next(scores), file.problem) for file in files
        ]

    def _scores(self, files: Sequence[_ReadFile]) -> list[Scored]:
        if self.tile_side:
            images = [file.image for file in files if file.image is not None]
            return [score_in_tiles(self.engine, image, self.text_features, self.tile_side) for image in images]
        pixels = [file.pixels for file in files if file.pixels is not None]
        return self.engine.score_pixels(pixels, self.text_features) if pixels else []
