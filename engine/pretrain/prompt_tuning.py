"""`python -m engine.pretrain.prompt_tuning --out DIR`: tune prompts for the embedded backbone, to come with it.

Only drawn images are used. The length of the tuning is the one that is best on drawings kept apart. Where even that one
is not surely better than the plain words, as any candidate in the product has to be, the plain words are written.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from engine.backbone.clip import Backbone
from engine.backbone.loading import load_config
from engine.detector.prompt_files import prompts_to_bytes
from engine.detector.prompts import Prompts, default_prompts
from engine.detector.scoring import probabilities
from engine.evaluation.metrics.of_arrays import auroc
from engine.features.image_features import split_batch
from engine.learning.prompt_tuning import Tuner
from engine.learning.tuning_loop import Example, TuningConfig
from engine.pretrain.drawing.sample import draw_sample
from engine.pretrain.losses import patch_targets
from engine.pretrain.model import normalised

_SEED_APART = 2_000_003
_BATCH = 8
_RESAMPLES = 200


@dataclass(frozen=True)
class Tuned:
    """The best prompts, and how they compare with the plain words on drawings kept apart.

    Attributes:
        prompts: after the best number of epochs; the plain words where they are not surely better.
        epoch: that number.
        before: mean AUROC of patches and images by the plain words.
        after: the same after tuning.
        sure_gain: the lower end of the difference's 95 % interval, by resampling the drawings.
    """

    prompts: Prompts
    epoch: int
    before: float
    after: float
    sure_gain: float


def tune_on_drawings(
    backbone: Backbone, *, seed: int = 0, count: int = 1200, epochs: int = 6, learning_rate: float = 1e-3
) -> Tuned:
    """Tune the plain words on `count` drawings at the backbone's size; a third more are kept apart to choose by.

    Raises:
        ValueError: so few are kept apart that all are normal, or none is.
    """
    examples = _drawn_examples(backbone, seed + _SEED_APART, count + count // 3)
    training, apart = examples[:count], examples[count:]
    plain = default_prompts(backbone)
    tuner = Tuner(
        backbone, plain, training, TuningConfig(learning_rate=learning_rate, resolution="patches", pull=1.0, seed=seed)
    )
    judge = _Judge(apart, backbone.info.patch_size)
    before = best = judge.grids(tuner.text_features())
    prompts, chosen = plain, 0
    for epoch in tqdm(range(1, epochs + 1), desc="tuning", unit="epoch"):
        tuner.run_epoch()
        grids = judge.grids(tuner.text_features())
        if judge.quality(grids) > judge.quality(best):
            best, chosen, prompts = grids, epoch, tuner.prompts(f"tuned on {count} drawn images")
    sure_gain = judge.sure_gain(before, best, seed)
    return Tuned(prompts if sure_gain > 0 else plain, chosen, judge.quality(before), judge.quality(best), sure_gain)


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


class _Judge:
    """Measures text features on drawings: mean of the patches' AUROC and the images' (largest value of the map)."""

    def __init__(self, examples: list[Example], patch: int) -> None:
        self._patches = torch.stack([example.features.patch_features for example in examples])
        target, self._valid, _ = patch_targets(torch.stack([example.mask for example in examples]), patch)
        self._anomalous = (target > 0).numpy()
        self._labels = np.array([bool(example.label) for example in examples])
        if self._labels.all() or not self._labels.any():
            raise ValueError(f"The {len(examples)} drawings kept apart are all of one state: tune on more drawings.")

    @torch.no_grad()
    def grids(self, text: torch.Tensor) -> torch.Tensor:
        """Maps (images, patches), 0–1."""
        each = [probabilities(features.float(), text.detach())[..., 1].mean(dim=0) for features in self._patches]
        return torch.stack(each)

    def quality(self, grids: torch.Tensor, images: np.ndarray | None = None) -> float:
        """Of all images, or of these, as often as they are named."""
        chosen = np.arange(len(grids)) if images is None else images
        values, valid = grids[chosen], self._valid[chosen]
        patches = auroc(self._anomalous[chosen][valid.numpy()], values[valid].numpy())
        return (patches + auroc(self._labels[chosen], values.amax(dim=1).numpy())) / 2

    def sure_gain(self, before: torch.Tensor, after: torch.Tensor, seed: int) -> float:
        """The lower end of the 95 % interval of what is gained; 0 where both are the same."""
        random = np.random.default_rng(seed)
        draws = random.integers(0, len(before), (_RESAMPLES, len(before)))
        both_kinds = [images for images in draws if 0 < self._labels[images].sum() < len(images)]
        gains = [self.quality(after, images) - self.quality(before, images) for images in both_kinds]
        return float(np.quantile(gains, 0.025))


def main() -> None:
    """Parse the command line, tune and write."""
    parser = argparse.ArgumentParser(prog="python -m engine.pretrain.prompt_tuning", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder that holds embedded.json and its weights")
    parser.add_argument("--seed", type=int, default=0, help="decides the drawings (default %(default)s)")
    arguments = parser.parse_args()
    tuned = tune_on_drawings(load_config(arguments.out / "embedded.json"), seed=arguments.seed)
    (arguments.out / "embedded_prompts.safetensors").write_bytes(prompts_to_bytes(tuned.prompts))
    print(
        f"AUROC on drawings kept apart: {tuned.before:.4f} before, {tuned.after:.4f} after {tuned.epoch} epochs, "
        f"a gain of {tuned.sure_gain:+.4f} or more (95 %). "
        f"{'The tuned prompts' if tuned.sure_gain > 0 else 'The plain words'} are written."
    )


if __name__ == "__main__":
    main()
