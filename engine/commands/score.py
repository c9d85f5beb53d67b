"""`python -m engine score`: scores and maps of image files."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

from engine.datasets.item import image_files
from engine.maps import map_to_npy, resize_map
from engine.prompts import Prompts
from engine.score_files import score_files
from engine.serving import Engine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help="image files, or folders of them")
    parser.add_argument("--out", type=Path, help="folder for one float32 .npy map an image, at the image's size")
    parser.add_argument("--json", action="store_true", help="one JSON object a line in place of a table")


def run(engine: Engine, prompts: Prompts, arguments: argparse.Namespace) -> int:
    """Score each file and print a line for it; returns the exit code, 1 when a file could not be read."""
    text_features = engine.encode_prompts(prompts)
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
    paths = [file for path in arguments.images for file in (image_files(path) if path.is_dir() else [path])]
    failed = False
    for one in tqdm(score_files(engine, text_features, paths), total=len(paths), unit="image", disable=len(paths) < 2):
        if one.image is None or one.scored is None:
            tqdm.write(f"{one.path}: {one.problem}", file=sys.stderr)
            failed = True
            continue
        scored = one.scored
        found: dict[str, Any] = {
            "image": str(one.path),
            "score": scored.score,
            "map_max": float(scored.anomaly_map.max()),
        }
        if arguments.out:
            file = arguments.out / f"{one.path.stem}.npy"
            file.write_bytes(map_to_npy(resize_map(scored.anomaly_map, one.image.height, one.image.width)))
            found["map"] = str(file)
        tqdm.write(json.dumps(found) if arguments.json else f"{scored.score:.4f}  {one.path}")
    return int(failed)
