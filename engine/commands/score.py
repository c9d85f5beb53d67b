"""`python -m engine score`: scores, maps, masks and overlays of image files and folders."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

from engine.detector.detector import Detector
from engine.errors import EngineError
from engine.exports.batch import BatchOptions, BatchWriter
from engine.exports.sources import find_sources
from engine.serving.engine import Engine
from engine.serving.score_files import score_files


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help="image files, and folders of images")
    parser.add_argument("--out", type=Path, help="folder for what is written, in the folders' own structure")
    parser.add_argument("--json", action="store_true", help="one JSON object a line in place of a table")
    parser.add_argument("--csv", action="store_true", help="write OUT/scores.csv and show progress in place of a table")
    parser.add_argument(
        "--maps", action="store_true", help="write float32 .npy maps of the images' sizes (default, with --out alone)"
    )
    parser.add_argument("--masks", action="store_true", help="write *_mask.png, 255 from --map-threshold up")
    parser.add_argument("--overlays", action="store_true", help="write *_overlay.jpg, the map over the image")
    parser.add_argument("--threshold", type=float, help="score 0–1 from which an image is anomalous (default: unsaid)")
    parser.add_argument(
        "--map-threshold", type=float, default=0.5, help="map value 0–1 from which a pixel is (default %(default)s)"
    )
    parser.add_argument(
        "--tiles", type=int, metavar="PX",
        help="score large images in overlapping squares of this side too, so that small defects are seen",
    )  # fmt: skip


def run(engine: Engine, detector: Detector, arguments: argparse.Namespace) -> int:
    """Score each image and print a line for it, or write what the options ask for.

    Returns:
        0; 1 where files could not be read, after all the others were scored.

    Raises:
        EngineError: a folder without images, something to write and no --out, two images of one name.
        OSError: what is written can't be.
    """
    options = _options(arguments)
    if arguments.tiles is not None and arguments.tiles < engine.info.patch_size:
        raise EngineError(f"--tiles {arguments.tiles}: a tile needs {engine.info.patch_size} px or more.")
    found = find_sources(arguments.images, out=arguments.out)
    sources = found.images
    engine.decoder = engine.decoder.with_depth_of(source.path for source in sources)
    files = score_files(engine, detector, [source.path for source in sources], tile_side=arguments.tiles)
    bar = tqdm(zip(sources, files, strict=True), total=len(sources), unit="image", disable=not arguments.csv)
    with BatchWriter(options, ascii_names=all(source.shown.isascii() for source in sources)) as writer, bar:
        for source, one in bar:
            if one.image is None or one.scored is None:
                tqdm.write(f"{source.shown}: {one.problem}", file=sys.stderr)
                writer.fail(source, str(one.problem))
                continue
            result = writer.add(source, one.image, one.scored)
            if not arguments.csv:
                _say(json.dumps(result) if arguments.json else _line(result), keeps=options.out is not None)
    if found.passed_over:
        print(found.passed_over_words(), file=sys.stderr)
    if writer.failed:
        print(f"{writer.failed} of {len(sources)} files could not be read; they are named above.", file=sys.stderr)
    return int(bool(writer.failed))


def _say(line: str, *, keeps: bool) -> None:
    """Print a line; whoever reads may have gone away, and what is written to files goes on all the same.

    Raises:
        BrokenPipeError: they have, and nothing else is written (`keeps` False).
    """
    try:
        print(line, flush=True)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  # for as long as the process lives
        if not keeps:
            raise


def _options(arguments: argparse.Namespace) -> BatchOptions:
    chosen = [name for name in ("csv", "maps", "masks", "overlays") if getattr(arguments, name)]
    if chosen and arguments.out is None:
        raise EngineError(f"--{chosen[0]} writes files: name a folder for them by --out.")
    return BatchOptions(
        out=arguments.out,
        maps=arguments.maps or not chosen,
        masks=arguments.masks,
        overlays=arguments.overlays,
        table=arguments.csv,
        threshold=arguments.threshold,
        map_threshold=arguments.map_threshold,
    )


def _line(result: dict[str, Any]) -> str:
    verdict = f"{result['verdict']:<11}" if "verdict" in result else ""
    return f"{result['score']:.4f}  {verdict}{result['image']}"
