"""`python -m engine score`: scores and maps of image files."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from engine.errors import ImageError
from engine.images import decode_image
from engine.maps import map_to_npy, resize_map
from engine.prompts import Prompts
from engine.serving import Engine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help="image files")
    parser.add_argument("--out", type=Path, help="folder for one float32 .npy map an image, at the image's size")
    parser.add_argument("--json", action="store_true", help="one JSON object a line in place of a table")


def run(engine: Engine, prompts: Prompts, arguments: argparse.Namespace) -> int:
    """Score each file and print a line for it; returns the exit code, 1 when a file could not be read."""
    text_features = engine.encode_prompts(prompts)
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
    failed = False
    for path in arguments.images:
        try:
            image = decode_image(path.read_bytes())
        except (OSError, ImageError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            failed = True
            continue
        scored = engine.score(engine.encode([image]), text_features)[0]
        result: dict[str, Any] = {"image": str(path), "score": scored.score, "map_max": float(scored.anomaly_map.max())}
        if arguments.out:
            file = arguments.out / f"{path.stem}.npy"
            file.write_bytes(map_to_npy(resize_map(scored.anomaly_map, image.height, image.width)))
            result["map"] = str(file)
        print(json.dumps(result) if arguments.json else f"{scored.score:.4f}  {path}")
    return int(failed)
