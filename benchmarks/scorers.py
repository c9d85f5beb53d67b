"""A process that scores on demand, so that two ways of scoring can be timed in turns, each with its own memory.

`Scorer(...)` starts one; this module run as a program is one: a line of JSON in, a line of JSON out.
"""

import argparse
import io
import json
import logging
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import open_clip
import torch
from PIL import Image

from benchmarks.baseline import PlainScorer
from benchmarks.flops import image_teraflops, peak_teraflops
from engine.backbone.clip import Backbone
from engine.backbone.loading import load_backbone, resolve_device
from engine.backbone.precision import resolve_precision
from engine.cores import usable_cores
from engine.detector.detector import Detector, Scored
from engine.detector.prompt_files import shipped_prompts
from engine.images.decoding import decode_image
from engine.serving.engine import Engine


@dataclass(frozen=True)
class Way:
    """One way of scoring.

    Attributes:
        kind: `baseline` or `engine`.
        model: `embedded`, or an open_clip model, with random weights from a fixed seed.
        image_size: side in px; 0: the backbone's own.
        precision: of the engine's vision tower; the baseline is float32.
        device: torch's name of it, or `auto`.
        threads: CPU threads.
        compiled: let torch.compile fuse the engine's blocks.
    """

    kind: str
    model: str
    image_size: int
    precision: str
    device: str
    threads: int
    compiled: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is to be measured, for `way_of`."""
    parser.add_argument("--model", default="embedded", help="of open_clip, weights at random; or embedded")
    parser.add_argument("--image-size", type=int, default=0, help="side in px; 0: the backbone's own (default)")
    parser.add_argument("--precision", default="auto", help="auto, fp32, bf16, fp16 (default %(default)s)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda (default %(default)s)")


def way_of(given: argparse.Namespace) -> Way:
    """The engine's way, from the arguments."""
    return Way("engine", given.model, given.image_size, given.precision, given.device, torch.get_num_threads())


def make_backbone(way: Way) -> Backbone:
    """The backbone, at the way's resolution."""
    if way.model == "embedded":
        return load_backbone("embedded", way.device, way.precision, compiled=way.compiled)
    device = resolve_device(way.device)
    torch.manual_seed(0)
    return Backbone(
        open_clip.create_model(way.model, pretrained=None),
        name=way.model,
        description="random weights, for measuring speed",
        image_size=way.image_size or None,
        device=device,
        precision=resolve_precision(way.precision, device),
        compiled=way.compiled,
    )


def detector_of(backbone: Backbone) -> Detector:
    """Of the prompts that come with the backbone; with two random directions where none do."""
    detector = Detector.of_prompts(backbone, shipped_prompts(backbone))
    if backbone.prompts_file:
        return detector
    directions = torch.randn(2, backbone.info.embed_dim, generator=torch.Generator().manual_seed(0))
    return replace(detector, text_features=torch.nn.functional.normalize(directions, dim=-1).to(backbone.device))


def picture(seed: int, side: int = 512) -> bytes:
    """PNG bytes of an image of coloured noise, coarse or fine, bright or dark, by its seed."""
    random = np.random.default_rng(seed)
    cells = int(2 ** random.uniform(1, 8))
    noise = random.normal(random.uniform(30, 225, 3), random.uniform(5, 80), (cells, cells, 3)).clip(0, 255)
    buffer = io.BytesIO()
    Image.fromarray(noise.astype(np.uint8)).resize((side, side), Image.Resampling.BICUBIC).save(buffer, "PNG")
    return buffer.getvalue()


class Scorer:
    """A process that scores in one way, as a context."""

    def __init__(self, way: Way) -> None:
        self.way = way

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.scorers", json.dumps(asdict(self.way)), self._folder.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.facts = self._answer()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()

    def score(self, seeds: list[int]) -> tuple[dict[str, Any], npt.NDArray[np.float32]]:
        """Score the pictures of these seeds, in one batch where the way knows batches.

        Returns:
            `seconds` from bytes to maps, `scores`, `peak_mib` so far; and the maps (B, s, s).
        """
        print(json.dumps(seeds), file=self._process.stdin, flush=True)
        return self._answer(), np.load(Path(self._folder.name) / "maps.npy")

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process that measures {self.way} ended; its words are above")
        return json.loads(line)


def _serve(way: Way, folder: Path) -> None:
    logging.getLogger().setLevel(logging.ERROR)  # open_clip warns that the weights are random: they should be
    torch.set_num_threads(way.threads)
    backbone = make_backbone(way)
    engine = Engine(backbone, image_size=way.image_size)
    detector = detector_of(backbone)
    threads = ThreadPoolExecutor(usable_cores())
    baseline = PlainScorer(backbone, detector.text_features, engine.image_size) if way.kind == "baseline" else None

    def run(pictures: list[bytes]) -> list[Scored]:
        if baseline:
            return [baseline.score(data) for data in pictures]
        return engine.score_images(list(threads.map(decode_image, pictures)), detector)

    print(json.dumps(_facts(engine)), flush=True)
    for line in sys.stdin:
        pictures = [picture(seed) for seed in json.loads(line)]
        began = time.perf_counter()
        scored = run(pictures)
        seconds = time.perf_counter() - began
        np.save(folder / "maps.npy", np.stack([one.anomaly_map for one in scored]))
        answer = {"seconds": seconds, "scores": [one.score for one in scored], "peak_mib": _peak_mib(backbone.device)}
        print(json.dumps(answer), flush=True)


def _facts(engine: Engine) -> dict[str, Any]:
    backbone, info = engine.backbone, engine.info
    on_gpu = backbone.device.type == "cuda"
    name = torch.cuda.get_device_name(backbone.device) if on_gpu else "cpu"
    return {
        "image_size": engine.image_size,
        "layers": list(info.layers),
        "precision": backbone.precision,
        "device": name,
        "teraflops": image_teraflops(backbone.vision, engine.image_size, len(info.layers)),
        "peak_teraflops": peak_teraflops(name) if on_gpu else None,
    }


def _peak_mib(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    _serve(Way(**json.loads(sys.argv[1])), Path(sys.argv[2]))
