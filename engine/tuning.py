"""Glocal prompt tuning over features that were encoded once (paper, section 3.3): the backbone stays frozen."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.backbone import Backbone
from engine.features import ImageFeatures
from engine.losses import LAMBDA, GlocalLoss, glocal_loss, patch_glocal_loss
from engine.prompts import PromptLearner, Prompts
from engine.scoring import probabilities, to_grid, upsample


@dataclass(frozen=True)
class Example:
    """One corrected image.

    Attributes:
        features: of the image.
        mask: (s, s) uint8, 1 where anomalous; s decides at which resolution the local loss is taken.
    """

    features: ImageFeatures
    mask: Tensor

    @property
    def label(self) -> int:
        """1 where any pixel is anomalous."""
        return int(self.mask.any())


@dataclass(frozen=True)
class TuningConfig:
    """How to tune.

    Attributes:
        learning_rate: of Adam.
        betas: of Adam; the reference's.
        batch_size: images a step.
        weight: λ of the local loss.
        resolution: where the local loss is taken: on all `pixels` of the mask, as the reference does, or on the grid
            of `patches`, some 60 times less work.
        pull: weight of 1 − cosine between the text features and those tuning started from, divided by the number of
            examples: few corrections may move the prompts little, many may move them far. 0 in the reference.
        cast_float16: round deep tokens to float16, as the reference does.
        seed: of the order of the examples.
    """

    learning_rate: float = 1e-3
    betas: tuple[float, float] = (0.5, 0.999)
    batch_size: int = 8
    weight: float = LAMBDA
    resolution: Literal["pixels", "patches"] = "pixels"
    pull: float = 0.0
    cast_float16: bool = False
    seed: int = 0


class Tuner:
    """Prompts being tuned, epoch by epoch; its state can be saved, and restored by another process.

    Args:
        backbone: the frozen CLIP.
        start: the prompts to start from.
        examples: at least one.
        config: how to tune.
    """

    def __init__(self, backbone: Backbone, start: Prompts, examples: Sequence[Example], config: TuningConfig) -> None:
        if not examples:
            raise ValueError("tuning needs at least one example")
        self.examples = list(examples)
        self.config = config
        self.device = backbone.device
        self.learner = PromptLearner(backbone, start, cast_float16=config.cast_float16)
        self.optimizer = torch.optim.Adam(self.learner.parameters(), lr=config.learning_rate, betas=config.betas)
        self.epoch = 0
        with torch.no_grad():
            self._anchor = self.learner()
        # With one label alone, cross-entropy on the image teaches nothing but "always".
        self._both_labels = len({example.label for example in self.examples}) == 2

    def run_epoch(self) -> dict[str, float]:
        """Go once through the examples. Returns the mean loss terms: image, focal, dice, pull, total."""
        sums: dict[str, float] = {}
        for batch in self._batches():
            terms = self._loss(batch)
            self.optimizer.zero_grad()
            terms["total"].backward()
            self.optimizer.step()
            for name, value in terms.items():
                sums[name] = sums.get(name, 0.0) + float(value.detach()) * len(batch) / len(self.examples)
        self.epoch += 1
        return sums

    def _batches(self) -> Iterator[list[Example]]:
        # Seeded by the epoch too, so that a resumed tuning goes on as an unbroken one would.
        generator = torch.Generator().manual_seed(self.config.seed * 100_003 + self.epoch)
        order = torch.randperm(len(self.examples), generator=generator).tolist()
        for start in range(0, len(order), self.config.batch_size):
            yield [self.examples[index] for index in order[start : start + self.config.batch_size]]

    def _loss(self, batch: list[Example]) -> dict[str, Tensor]:
        text = self.learner()
        loss = self._glocal(batch, text)
        pull = self.config.pull / len(self.examples) * (1 - F.cosine_similarity(text, self._anchor)).sum()
        image = loss.image if self._both_labels else 0.0 * loss.image
        total = loss.total - loss.image + image + pull
        dice = (loss.dice_anomalous + loss.dice_normal).sum()
        return {"image": image, "focal": loss.focal.sum(), "dice": dice, "pull": pull, "total": total}

    def _glocal(self, batch: list[Example], text: Tensor) -> GlocalLoss:
        masks = torch.stack([example.mask for example in batch]).to(self.device)
        labels = torch.tensor([example.label for example in batch], device=self.device)
        similarities = torch.stack([e.features.global_feature for e in batch]).to(self.device).float() @ text.T
        patches = torch.stack([e.features.patch_features for e in batch], dim=1).to(self.device).float()
        if self.config.resolution == "pixels":
            layer_probs = [upsample(to_grid(probabilities(layer, text)), masks.shape[-1]) for layer in patches]
            return glocal_loss(similarities, layer_probs, labels, masks, self.config.weight)
        side = round(patches.shape[2] ** 0.5)
        shares = F.adaptive_avg_pool2d(masks[:, None].float(), side).flatten(1)
        area = masks[0].numel() // shares.shape[1]
        return patch_glocal_loss(
            similarities, probabilities(patches, text)[..., 1], labels, shares, area, self.config.weight
        )

    @torch.no_grad()
    def text_features(self) -> Tensor:
        """(2, D) of the prompts as they are now."""
        return self.learner()

    def prompts(self, note: str) -> Prompts:
        """The prompts as they are now."""
        return self.learner.prompts(note)

    def state(self) -> bytes:
        """All that `restore` needs to go on from here."""
        buffer = io.BytesIO()
        saved = {"epoch": self.epoch, "learner": self.learner.state_dict(), "optimizer": self.optimizer.state_dict()}
        torch.save(saved, buffer)
        return buffer.getvalue()

    def restore(self, state: bytes) -> None:
        """Go on from a `state` of a tuner with the same start, examples and configuration."""
        saved = torch.load(io.BytesIO(state), map_location=self.device, weights_only=True)
        self.learner.load_state_dict(saved["learner"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.epoch = saved["epoch"]
