"""How cost grows: images in a project, resolution, layers: `python -m benchmarks.growth --plot docs/images/growth.svg`.

Embedded backbone, drawn data. Each size of a project is measured in a process and a data folder of its own.
"""

import argparse
import hashlib
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Picture

from benchmarks.machine import machine, markdown_table
from benchmarks.noise import noise
from benchmarks.tuning import mask, picture
from db.images.pages import list_images
from db.migrate import migrate
from db.store import Store
from db.tables.core import Image, Prediction
from db.training.prompt_versions import active_version
from engine.backbone.clip import Backbone
from engine.backbone.loading import load_backbone
from engine.detector.prompts import default_prompts
from engine.learning.prompt_tuning import Tuner
from engine.learning.tuning_loop import Example, TuningConfig
from engine.serving.engine import Engine
from settings import get_settings
from workers.context import get_store
from workers.images.correcting import save_mask
from workers.projects.shipped_prompts import ensure_default_project
from workers.scoring.engine_host import get_engine
from workers.scoring.scorer import score_unscored
from workers.training.runs import start_run
from workers.training.tuning_run import tune

SIZES = (1, 10, 100, 1000, 10_000)
RESOLUTIONS = (224, 256, 384, 512, 768, 1024)
LAYERS = (1, 2, 4, 8)
# Corrections that a run learns from, where the project has as many.
CORRECTIONS = 10
SIDE = 256


def main() -> None:
    """Print three tables and draw them; or (for itself, in a process of its own) one size of a project as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--plot", type=Path, help="where to draw it; .svg or .png")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--project", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.project:
        print(json.dumps(in_project(arguments.project)))
        return
    found = {
        "images in the project": {size: in_process(size) for size in SIZES},
        "resolution, px": {side: one_image(Engine(load_backbone("embedded"), image_size=side)) for side in RESOLUTIONS},
        "layers": {count: one_image(Engine(with_layers(count))) for count in LAYERS},
    }
    print(machine())
    for along, rows in found.items():
        head = [along, *(f"{name}, ms" for name in next(iter(rows.values())))]
        print("\n" + markdown_table(head, [[x, *(f"{1000 * y:.1f}" for y in row.values())] for x, row in rows.items()]))
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": machine(), **found}, indent=1))
    if arguments.plot:
        draw(found, arguments.plot)


def draw(found: dict[str, dict[int, dict[str, float]]], file: Path) -> None:
    """One panel for each thing that grows, both axes logarithmic."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(found), figsize=(15, 4.5), layout="constrained")
    for panel, (along, rows) in zip(panels, found.items(), strict=True):
        for name in next(iter(rows.values())):
            panel.plot(list(rows), [row[name] for row in rows.values()], marker="o", label=name)
        panel.set(xscale="log", yscale="log", xlabel=along, ylabel="seconds")
        panel.set_xticks(list(rows), [f"{x:,}" for x in rows])
        panel.minorticks_off()
        panel.grid(alpha=0.3)
        panel.legend(fontsize="small")
    figure.savefig(file)


def in_process(size: int) -> dict[str, float]:
    """Figures of a project of this size."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.growth", "--project", str(size)]
        environment = {**os.environ, "ANOMALYLOOP_HOME": folder}
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def in_project(size: int) -> dict[str, float]:
    """Seconds to score one more image, to save a correction, to list what to review next, and of a run."""
    migrate(get_settings().resolved_database_url)
    store, engine = get_store(), get_engine()
    project_id = ensure_default_project(store, engine)
    ids = fill(store, project_id, size)
    png = io.BytesIO()
    Picture.fromarray(mask(1, SIDE).numpy() * 255).save(png, "PNG")

    def score_one_more() -> None:
        assert score_unscored(store, project_id, 32) == 1

    def list_queue() -> None:
        with store.session(read_only=True) as session:
            list_images(session, project_id, status="to_review", order="uncertain")

    def run() -> None:
        tune(store, engine, start_run(store, project_id, trigger="manual", epochs=10))

    add_rows(store, project_id, [size])
    score = seconds(score_one_more, 1)
    save = [seconds(lambda one=one: save_mask(store, one, png.getvalue()), 1) for one in ids[-CORRECTIONS:]]  # type: ignore[misc]
    return {
        "score one more image": score,
        "save a correction": statistics.median(save),
        "list the review queue": seconds(list_queue, 5),
        f"run on {CORRECTIONS} corrections, 10 epochs": seconds(run, 1),
    }


def fill(store: Store, project_id: int, size: int) -> list[int]:
    """A project of this many scored images; the features of those that will be corrected are cached."""
    ids = add_rows(store, project_id, range(size), cached_from=size - CORRECTIONS)
    random = np.random.default_rng(0)
    with store.session() as session:
        version = active_version(session, project_id)
        assert version is not None
        session.add_all(
            Prediction(
                image_id=one,
                prompt_version_id=version.id,
                score=float(random.random()),
                map_blob_key=f"{one:064x}",
                map_max=0.5,
            )
            for one in ids
        )
    return ids


def add_rows(store: Store, project_id: int, numbers: Any, *, cached_from: int = 0) -> list[int]:
    """Rows of images without files; the features of those from a number on are cached. Returns their ids."""
    cache = get_engine().cache
    assert cache is not None
    rows = []
    for number in numbers:
        sha256 = hashlib.sha256(str(number).encode()).hexdigest()
        if number >= cached_from:
            cache.put(sha256, noise(get_engine(), number))
        values = {"file_name": f"{number}.png", "byte_size": 1, "width": SIDE, "height": SIDE}
        rows.append(Image(project_id=project_id, sha256=sha256, blob_key=f"{sha256[:2]}/{sha256}", **values))
    with store.session() as session:
        session.add_all(rows)
    return [row.id for row in rows]


def with_layers(count: int) -> Backbone:
    """The embedded backbone with maps from its last blocks."""
    whole = load_backbone("embedded")
    blocks = len(whole.model.visual.transformer.resblocks)
    return Backbone(
        whole.model,
        name=f"{count} layers",
        description="",
        image_size=whole.info.image_size,
        layers=tuple(range(blocks - count + 1, blocks + 1)),
        dpam_layer=whole.info.dpam_layer,
    )


def one_image(engine: Engine) -> dict[str, float]:
    """Seconds to encode an image, to score it from its features, and of a tuning step on 8 of them."""
    seen = picture(1, 512)
    repeats = 5 if engine.image_size < 512 else 1
    detector = engine.detector_of(default_prompts(engine.backbone))
    examples = [Example(noise(engine, number), mask(number, engine.image_size)) for number in range(8)]
    tuner = Tuner(engine.backbone, default_prompts(engine.backbone), examples, TuningConfig(resolution="patches"))
    return {
        "encode an image": seconds(lambda: engine.encode([seen]), repeats),
        "score it from its features": seconds(lambda: engine.score([examples[0].features], detector), 5),
        "tuning step on 8 images": seconds(tuner.run_epoch, 5),
    }


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Median over repeats, after one for warming up where there are several."""
    if repeats > 1:
        work()
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
