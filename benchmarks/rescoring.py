"""A project scored anew by other prompts, from cached features: `python -m benchmarks.rescoring`.

Rows, features and prompts are drawn, in a data folder of their own; what is timed is what the scoring thread does
after a run: features read, score and map made, map and prediction kept. Only the features' shape counts, so ViT-L/14
is stood for by a small model that gives features of its shape (one layer at 518 px).
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from open_clip.model import CLIP
from safetensors.torch import save_file

from benchmarks.machine import machine, markdown_table
from benchmarks.noise import noise
from db.images.images import add_image
from db.migrate import migrate
from db.store import Store
from settings import get_settings
from workers.context import get_store
from workers.projects.shipped_prompts import ensure_default_project
from workers.scoring.engine_host import get_engine
from workers.scoring.scorer import score_unscored

SHAPES = ("embedded", "ViT-L/14, one layer")
# Images that the scoring thread takes at once.
_STEP = 32


def main() -> None:
    """Print the table; or (for itself, in a process of its own) one row as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rescoring", description=__doc__)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--part", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        print(json.dumps(measure(arguments.images, arguments.part[0])))
        return
    found = {shape: in_process(shape, arguments.images) for shape in SHAPES}
    rows = [
        [
            shape,
            one["size"],
            f"{one['seconds']:.1f}",
            f"{1000 * one['seconds'] / one['images']:.1f}",
            f"{one['first']:.2f}",
        ]
        for shape, one in found.items()
    ]
    head = ["features of", "maps, px", f"s for {arguments.images} images", "ms an image", "s until the first 32"]
    print(f"{machine()}\n\n{markdown_table(head, rows)}")
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": machine(), **found}, indent=1))


def in_process(shape: str, images: int) -> dict[str, Any]:
    """One row's figures, from a process and a data folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        backbone = "embedded" if shape == "embedded" else write_stand_in(Path(folder))
        environment = {"ANOMALYLOOP_HOME": folder, "ANOMALYLOOP_BACKBONE": backbone}
        environment["ANOMALYLOOP_FEATURE_CACHE_GB"] = "40"
        command = [sys.executable, "-m", "benchmarks.rescoring", "--images", str(images), "--part", shape, folder]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment})
    return json.loads(done.stdout.splitlines()[-1])


def write_stand_in(folder: Path) -> str:
    """A small model whose features have the shape of ViT-L/14's last layer at 518 px; returns its setting."""
    model_cfg = {
        "embed_dim": 768,
        "vision_cfg": {"image_size": 518, "patch_size": 14, "width": 64, "head_width": 32, "layers": 1},
        "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 3},
    }
    config = {"name": "stand-in", "description": "random", "model_cfg": model_cfg, "image_size": 518, "layers": [1]}
    (folder / "stand_in.json").write_text(json.dumps(config))
    save_file(dict(CLIP(**model_cfg).state_dict()), folder / "stand_in.safetensors")
    return f"{folder}/stand_in.json@{folder}/stand_in.safetensors"


def measure(images: int, shape: str) -> dict[str, Any]:
    """Seconds until all images are scored, and until the first that people look at are."""
    migrate(get_settings().resolved_database_url)
    store, engine = get_store(), get_engine()
    project_id = ensure_default_project(store, engine)
    draw_images(store, project_id, images)
    began = time.perf_counter()
    first = 0.0
    while score_unscored(store, project_id, _STEP):
        first = first or time.perf_counter() - began
    return {"images": images, "size": engine.image_size, "seconds": time.perf_counter() - began, "first": first}


def draw_images(store: Store, project_id: int, count: int) -> None:
    """Rows of images without files, whose features are cached: those of noise."""
    engine = get_engine()
    assert engine.cache is not None
    for number in range(count):
        sha256 = hashlib.sha256(str(number).encode()).hexdigest()
        engine.cache.put(sha256, noise(engine, number))
        with store.session() as session:
            add_image(
                session,
                project_id=project_id,
                sha256=sha256,
                blob_key=f"{sha256[:2]}/{sha256}",
                file_name=f"{number}.png",
                byte_size=1,
                width=engine.image_size,
                height=engine.image_size,
                author="benchmark",
            )


if __name__ == "__main__":
    main()
