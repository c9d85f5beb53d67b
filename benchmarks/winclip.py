"""WinCLIP, zero-shot: ours and anomalib's on the same weights and images; differences and times side by side.

`python -m benchmarks.winclip`; needs anomalib, which is installed for this alone.
"""

import argparse
import sys
import time
from typing import Any

import open_clip
import torch
from PIL import Image
from torch import Tensor, nn

from benchmarks.machine import machine, markdown_table
from benchmarks.sample_data import read_samples
from engine.backbone.clip import Backbone
from engine.backbone.loading import load_backbone
from engine.evaluation.baselines.winclip import WinClip
from engine.images.preprocessing import preprocess
from engine.serving.engine import Engine
from settings import get_settings


class _LengthFirst(nn.Module):
    """A transformer that takes (tokens, batch, width), as open_clip's did when anomalib's code was written for it."""

    def __init__(self, transformer: nn.Module) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(self, tokens: Tensor) -> Tensor:
        return self.transformer(tokens.transpose(0, 1)).transpose(0, 1)


def anomalib_winclip(backbone: Backbone, class_name: str) -> Any:
    """anomalib's model around our weights. Raises ImportError where anomalib is not installed."""
    from anomalib.models.image.winclip.torch_model import WinClipModel

    create, visual, cut = (
        open_clip.create_model_and_transforms,
        backbone.model.visual,
        WinClipModel._get_window_embeddings,
    )

    def with_old_layout(self: Any, feature_map: Tensor, masks: Tensor) -> Tensor:
        transformer = visual.transformer
        visual.transformer = _LengthFirst(transformer)
        try:
            return cut(self, feature_map, masks)
        finally:
            visual.transformer = transformer

    WinClipModel._get_window_embeddings = with_old_layout
    open_clip.create_model_and_transforms = lambda *_, **__: (backbone.model, None, None)
    try:
        return WinClipModel(class_name=class_name, scales=(2, 3))
    finally:
        open_clip.create_model_and_transforms = create


def main() -> int:
    """Parse, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", default=get_settings().backbone, help="as ANOMALYLOOP_BACKBONE")
    parser.add_argument("--images", type=int, default=8, help="of kolektor_sdd (default %(default)s)")
    arguments = parser.parse_args()
    backbone = load_backbone(arguments.backbone)
    side = backbone.model.visual.image_size[0]  # anomalib's windows are made for the grid that the model was trained on
    images = [Image.open(sample.image) for sample in read_samples("kolektor_sdd")[: arguments.images]]
    ours = WinClip(Engine(backbone, image_size=side, reference=True))
    ours.text_features("commutator")  # anomalib's are encoded when its model is made
    start = time.perf_counter()
    scored = [ours.score(features, "commutator") for features in ours.encoder.encode(images)]
    our_time = time.perf_counter() - start
    try:
        theirs = anomalib_winclip(backbone, "commutator")
    except ImportError as error:
        print(f"anomalib is not installed here ({error}). pip install anomalib to compare.", file=sys.stderr)
        return 1
    start = time.perf_counter()
    with torch.no_grad():
        expected = theirs(preprocess(images, side).to(backbone.device))
    their_time = time.perf_counter() - start
    scores = max(abs(one.score - float(other)) for one, other in zip(scored, expected.pred_score, strict=True))
    maps = [
        float((torch.from_numpy(one.anomaly_map) - other.cpu()).abs().max())
        for one, other in zip(scored, expected.anomaly_map, strict=True)
    ]
    print(f"{len(images)} images at {side} px, {backbone.info.name}; {machine()}\n")
    rows = [("ours", our_time), ("anomalib", their_time)]
    print(markdown_table(["WinCLIP", "seconds"], rows))
    print(f"\nlargest difference: scores {scores:.1e}, maps {max(maps):.1e}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
