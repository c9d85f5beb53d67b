"""`python -m engine.pretrain.prompt_tuning --out DIR`: tune the prompts that come with the embedded backbone.

Only drawn images are used. The length of the tuning is the one that is best on drawings kept apart, and that may be
none at all: then the plain words are written.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from engine.backbone import Backbone, load_config
from engine.features import split_batch
from engine.pretrain.checking import auroc
from engine.pretrain.drawing.sample import draw_sample
from engine.pretrain.losses import patch_targets
from engine.pretrain.model import normalised
from engine.prompt_files import prompts_to_bytes
from engine.prompts import Prompts, default_prompts
from engine.scoring import probabilities
from engine.tuning import Example, Tuner, TuningConfig

_SEED_APART = 2_000_003
_BATCH = 8


@dataclass(frozen=True)
class Tuned:
    """The chosen prompts, after how many epochs, and mean AUROC of patches and images, before and after."""

    prompts: Prompts
    epoch: int
    before: float
    after: float


def tune_on_drawings(
    backbone: Backbone, *, seed: int = 0, count: int = 240, epochs: int = 6, learning_rate: float = 1e-3
) -> Tuned:
    """Tune the plain words on `count` drawings at the backbone's size; a third more are kept apart to choose by."""
    examples = _drawn_examples(backbone, seed + _SEED_APART, count + count // 3)
    training, apart = examples[:count], examples[count:]
    config = TuningConfig(learning_rate=learning_rate, resolution="patches", pull=1.0, seed=seed)
    tuner = Tuner(backbone, default_prompts(backbone), training, config)
    before = _quality(tuner.text_features(), apart, backbone.info.patch_size)
    best = Tuned(default_prompts(backbone), 0, before, before)
    for epoch in tqdm(range(1, epochs + 1), desc="tuning", unit="epoch"):
        tuner.run_epoch()
        quality = _quality(tuner.text_features(), apart, backbone.info.patch_size)
        if quality > best.after:
            best = Tuned(tuner.prompts(f"tuned on {count} drawn images"), epoch, before, quality)
    return best


@torch.no_grad()
def _drawn_examples(backbone: Backbone, seed: int, count: int) -> list[Example]:
    examples: list[Example] = []
    for start in tqdm(range(0, count, _BATCH), desc="drawing", unit="batch"):
        # Even numbers only: no two of the same scene.
        drawn = [draw_sample(seed, 2 * n, backbone.info.image_size) for n in range(start, min(start + _BATCH, count))]
        images = torch.from_numpy(np.stack([sample.image for sample in drawn])).permute(0, 3, 1, 2)
        features = split_batch(backbone.vision(normalised(images), backbone.info.layers), backbone.info.layers)
        for sample, feature in zip(drawn, features, strict=True):
            examples.append(Example(feature, torch.from_numpy((sample.labels > 0).astype("uint8"))))
    return examples


def _quality(text: torch.Tensor, examples: list[Example], patch: int) -> float:
    """Mean of the patches' AUROC and the images' (largest value of the map)."""
    text = text.detach()
    grids = torch.stack([probabilities(e.features.patch_features.float(), text)[..., 1].mean(dim=0) for e in examples])
    target, valid, _ = patch_targets(torch.stack([e.mask for e in examples]), patch)
    patches = auroc(grids[valid].numpy(), (target[valid] > 0).numpy())
    images = auroc(grids.amax(dim=1).numpy(), torch.tensor([bool(e.label) for e in examples]).numpy())
    return (patches + images) / 2


def main() -> None:
    """Parse the command line, tune and write."""
    parser = argparse.ArgumentParser(prog="python -m engine.pretrain.prompt_tuning", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder that holds embedded.json and its weights")
    parser.add_argument("--seed", type=int, default=0, help="decides the drawings (default %(default)s)")
    arguments = parser.parse_args()
    tuned = tune_on_drawings(load_config(arguments.out / "embedded.json"), seed=arguments.seed)
    (arguments.out / "embedded_prompts.safetensors").write_bytes(prompts_to_bytes(tuned.prompts))
    print(f"AUROC on drawings kept apart: {tuned.before:.3f} before, {tuned.after:.3f} after {tuned.epoch} epochs.")


if __name__ == "__main__":
    main()
