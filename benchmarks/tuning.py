"""Prompt tuning against the reference's way of training: `python -m benchmarks.tuning`.

Three processes on the same drawn images, prompts, order and seed: the plain baseline of `benchmarks.plain_tuning`,
which is given images already preprocessed; the engine with an empty feature cache, from image files' pixels; the
engine with the features cached. Fewer encodings or steps than a whole tuning has can be measured (`--encodings`,
`--engine-epochs`, `--plain-steps`); the rest is arithmetic, and the table says from how many. Weights are random.
"""

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from PIL import Image
from torch import Tensor

from benchmarks.machine import machine, markdown_table
from benchmarks.plain_tuning import PlainTuner
from engine.backbone.clip import Backbone
from engine.backbone.loading import load_backbone
from engine.detector.prompts import random_prompts
from engine.features.image_features import ImageFeatures
from engine.images.preprocessing import preprocess
from engine.learning.prompt_tuning import Tuner
from engine.learning.tuning_loop import Example, TuningConfig
from engine.serving.engine import Engine

BATCH = 8


@dataclass(frozen=True)
class Task:
    """What is tuned, and how much of it is measured."""

    backbone: str
    size: int
    images: int
    epochs: int
    encodings: int
    device: str
    engine_epochs: int
    plain_steps: int

    @property
    def all_steps(self) -> int:
        """Steps of the whole tuning."""
        return self.epochs * self.epoch_steps

    @property
    def epoch_steps(self) -> int:
        """Steps of one epoch."""
        return math.ceil(self.images / BATCH)


def main() -> None:
    """Print the table; or (for itself, in a process of its own) one part as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tuning", description=__doc__)
    parser.add_argument("--backbone", default="ViT-B-16", help="an open_clip model, or embedded; default %(default)s")
    parser.add_argument("--size", type=int, default=336, help="side in px, default %(default)s")
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--encodings", type=int, default=100, help="images whose encoding is measured")
    parser.add_argument("--device", default="cpu", help="cpu or cuda; default %(default)s")
    parser.add_argument("--engine-epochs", type=int, default=2, help="epochs of the engine that are measured")
    parser.add_argument("--plain-steps", type=int, default=2, help="steps of the baseline that are measured")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--part", nargs=2, help=argparse.SUPPRESS)
    given = vars(parser.parse_args())
    part, json_file = given.pop("part"), given.pop("json")
    task = Task(**{**given, "encodings": min(given["encodings"], given["images"])})
    if part:
        print(json.dumps({"plain": measure_plain, "engine": measure_engine}[part[0]](task, Path(part[1]))))
        return
    with tempfile.TemporaryDirectory() as folder:
        found = {"plain": in_process(task, "plain", folder), "engine": in_process(task, "engine", folder)}
    print(f"{machine()}\n\n{table(task, found)}")
    if json_file:
        json_file.write_text(json.dumps({"machine": machine(), "task": asdict(task), **found}, indent=1))


def in_process(task: Task, part: str, folder: str) -> dict[str, Any]:
    """One part's figures, from a process of its own, whose peak memory is its own."""
    options = [word for name, value in asdict(task).items() for word in (f"--{name.replace('_', '-')}", str(value))]
    command = [sys.executable, "-m", "benchmarks.tuning", *options, "--part", part, folder]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def make_backbone(task: Task) -> Backbone:
    """The embedded backbone, or an open_clip model with random weights."""
    if task.backbone == "embedded":
        return load_backbone("embedded", task.device)
    torch.manual_seed(0)
    model = open_clip.create_model(task.backbone)
    return Backbone(model, name=task.backbone, description="random weights", image_size=task.size, device=task.device)


def picture(number: int, size: int) -> Image.Image:
    """A drawn surface; every second one has a dark spot where `mask` says."""
    noise = np.random.default_rng(number).normal(128, 20, (64, 64, 3)).clip(0, 255).astype(np.uint8)
    pixels = np.asarray(Image.fromarray(noise).resize((size, size), Image.Resampling.BICUBIC)).copy()
    pixels[mask(number, size).numpy() == 1] //= 3
    return Image.fromarray(pixels)


def mask(number: int, size: int) -> Tensor:
    """(size, size) uint8, 1 within the spot; nowhere on even numbers."""
    found = torch.zeros(size, size, dtype=torch.uint8)
    if number % 2:
        top, left = (37 * number) % (size // 2), (53 * number) % (size // 2)
        found[top : top + size // 6, left : left + size // 5] = 1
    return found


def order(count: int, seed: int = 0) -> list[list[int]]:
    """The batches of the first epoch, the engine's own."""
    found = torch.randperm(count, generator=torch.Generator().manual_seed(seed * 100_003)).tolist()
    return [found[start : start + BATCH] for start in range(0, count, BATCH)]


def measure_plain(task: Task, folder: Path) -> dict[str, float]:
    """Seconds a step of the baseline, and its loss over one epoch of the images that are checked."""
    backbone = make_backbone(task)
    tuner = PlainTuner(backbone, random_prompts(backbone, 0), TuningConfig().learning_rate)
    seconds, losses = [], []
    for batch in order(task.plain_steps * BATCH):
        images = preprocess([picture(number, task.size) for number in batch], task.size, backbone.device)
        masks = torch.stack([mask(number, task.size) for number in batch]).to(backbone.device)
        began = time.perf_counter()
        losses.append(tuner.step(images, masks))
        seconds.append(time.perf_counter() - began)
    return {"step": sum(seconds) / len(seconds), "loss": sum(losses) / len(losses), "peak": peak_mib()}


def measure_engine(task: Task, folder: Path) -> dict[str, float]:
    """Seconds an encoding, a reading from the cache, and a step with the loss on pixels and on patches."""
    engine = Engine(make_backbone(task), image_size=task.size, cache_folder=folder)
    began = time.perf_counter()
    for number in range(task.encodings):
        engine.features(f"{number:064x}", lambda number=number: picture(number, task.size))  # type: ignore[misc]
    encoding = (time.perf_counter() - began) / task.encodings
    began = time.perf_counter()
    features = [engine.features(f"{number:064x}", _no_picture)[0] for number in range(task.encodings)]
    reading = (time.perf_counter() - began) / task.encodings
    pixels, patches = TuningConfig(resolution="pixels"), TuningConfig(resolution="patches")
    return {
        "encoding": encoding,
        "reading": reading,
        "pixels": step_seconds(engine, task, features, pixels),
        "patches": step_seconds(engine, task, features, patches),
        "peak": peak_mib(),
        "loss": checked_loss(engine, task, features, pixels),
    }


def _no_picture() -> Image.Image:
    raise AssertionError("the features were cached")


def step_seconds(engine: Engine, task: Task, features: list[ImageFeatures], config: TuningConfig) -> float:
    """Mean over the epochs that are measured; features are repeated where fewer were encoded."""
    examples = [Example(features[number % len(features)], mask(number, task.size)) for number in range(task.images)]
    tuner = Tuner(engine.backbone, random_prompts(engine.backbone, 0), examples, config)
    began = time.perf_counter()
    for _ in range(task.engine_epochs):
        tuner.run_epoch()
    return (time.perf_counter() - began) / (task.engine_epochs * task.epoch_steps)


def checked_loss(engine: Engine, task: Task, features: list[ImageFeatures], config: TuningConfig) -> float:
    """Mean loss over the steps that the baseline was measured on."""
    count = task.plain_steps * BATCH
    seen = [*features, *(engine.encode([picture(number, task.size)])[0] for number in range(len(features), count))][
        :count
    ]
    examples = [Example(one, mask(number, task.size)) for number, one in enumerate(seen)]
    tuner = Tuner(engine.backbone, random_prompts(engine.backbone, 0), examples, config)
    return tuner.run_epoch()["total"]


def peak_mib() -> float:
    """Of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def table(task: Task, found: dict[str, dict[str, float]]) -> str:
    """The Markdown table, and a line on how far the losses agree."""
    plain, engine = found["plain"], found["engine"]
    baseline = plain["step"] * task.all_steps
    rows: list[list[object]] = [
        ["baseline", f"{plain['step']:.2f}", "–", f"{baseline:.0f}", "1", f"{task.plain_steps} steps"]
    ]
    for resolution in ("pixels", "patches"):
        for name, one in (("features to be made", "encoding"), ("features cached", "reading")):
            seconds = engine[one] * task.images + engine[resolution] * task.all_steps
            each = f"{1000 * engine[one]:.1f}"
            source = f"{task.encodings} images, {task.engine_epochs * task.epoch_steps} steps"
            ratio = f"{baseline / seconds:.0f}"
            rows.append(
                [f"{name}, loss on {resolution}", f"{engine[resolution]:.3f}", each, f"{seconds:.1f}", ratio, source]
            )
    head = ["", "s a step", "features, ms an image", "s in all", "times faster", "from measured"]
    apart = abs(engine["loss"] - plain["loss"]) / plain["loss"]
    return (
        f"{task.backbone}, {task.size} px, {task.epochs} epochs on {task.images} images ({task.all_steps} steps of "
        f"{BATCH}):\n\n{markdown_table(head, rows)}\n\nLoss of the baseline's first steps {plain['loss']:.5f}, of the "
        f"engine's on pixels {engine['loss']:.5f}: {apart:.1e} apart (features are kept in float16). Peak memory "
        f"{plain['peak']:.0f} MiB and {engine['peak']:.0f} MiB."
    )


if __name__ == "__main__":
    main()
