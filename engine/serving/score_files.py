"""Files scored with the device kept busy: read in threads ahead of the model, and in batches where that pays."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from PIL import Image

from engine.cores import usable_cores
from engine.detector.detector import Detector, Scored
from engine.errors import ImageError
from engine.images.decoding import Decoder
from engine.images.tiles import score_in_tiles
from engine.serving.engine import Engine, Prepared

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
    engine: Engine, detector: Detector, paths: Sequence[Path], tile_side: int | None = None
) -> Iterator[ScoredFile]:
    """Score files in their order; none is left out.

    `tile_side` px: larger images are scored in tiles too, see `score_in_tiles`.
    """
    prepare = None if tile_side else partial(engine.prepare, surface=detector.sees_surface)
    read, score = partial(_read, engine.decoder, prepare), partial(_score, engine, detector, tile_side)
    # A GPU has one batch to work on while another's bytes go there, and maps come back; a CPU would share its cores.
    at_once = 2 if engine.backbone.device.type == "cuda" else 1
    with ThreadPoolExecutor(usable_cores()) as readers, ThreadPoolExecutor(at_once) as scorers:
        coming: deque[Future[list[ScoredFile]]] = deque()
        for start in range(0, len(paths), engine.batch_size):
            batch = [readers.submit(read, path) for path in paths[start : start + engine.batch_size]]
            coming.append(scorers.submit(score, batch))
            if len(coming) > _AHEAD:
                yield from coming.popleft().result()
        for scored in coming:
            yield from scored.result()


def _read(
    decoder: Decoder, prepare: Callable[[Image.Image], Prepared] | None, path: Path
) -> tuple[ScoredFile, Prepared | None]:
    """A file, not yet scored, and its pixels as the model takes them, which tiles don't need (`prepare` None).

    Pillow lets go of Python's lock meanwhile.
    """
    try:
        image = decoder.read(path)
    except (OSError, ImageError) as error:
        return ScoredFile(path, problem=error), None
    return ScoredFile(path, image), prepare(image) if prepare else None


def _score(
    engine: Engine,
    detector: Detector,
    tile_side: int | None,
    coming: Sequence[Future[tuple[ScoredFile, Prepared | None]]],
) -> list[ScoredFile]:
    """A batch of files that are being read → the same, scored."""
    files = [future.result() for future in coming]
    if tile_side:
        images = [file.image for file, _ in files if file.image is not None]
        scores = iter([score_in_tiles(engine, image, detector, tile_side) for image in images])
    else:
        prepared = [one for _, one in files if one is not None]
        scores = iter(engine.score_prepared(prepared, detector) if prepared else ())
    return [file if file.problem else replace(file, scored=next(scores)) for file, _ in files]
