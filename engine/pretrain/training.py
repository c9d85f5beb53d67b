"""The training loop: seeded, resumable, with snapshots that can be used while it runs."""

import hashlib
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from open_clip.model import CLIP
from torch import nn
from tqdm import tqdm

from engine.backbone.precision import is_fast
from engine.backbone.vision_tower import TwoStreamVision
from engine.backbone.weight_files import load_weights
from engine.pretrain.augmentation import augmented
from engine.pretrain.batches import Batch, DrawnBatches, batches_from
from engine.pretrain.checking import check
from engine.pretrain.export import export
from engine.pretrain.losses import Losses, training_losses
from engine.pretrain.model import DPAM_LAYER, LAYERS, MODEL_CFG, build_model
from engine.pretrain.schedule import STAGES, Stage, rate_at

_ADAM_RATE, _MUON_RATE, _DECAY = 1.5e-3, 2.5e-3, 0.05
_SMOOTHING = 0.97


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that decides what comes out. A checkpoint made with another one is not resumed.

    `start` names exported weights to begin with, in place of new ones; `rate` scales every learning rate; `lanes` is
    how many processes draw.
    """

    steps: int
    seed: int = 0
    stages: tuple[Stage, ...] = STAGES
    layers: tuple[int, ...] = LAYERS
    dpam_layer: int = DPAM_LAYER
    without: frozenset[str] = frozenset()
    muon: bool = True
    start: Path | None = None
    rate: float = 1.0
    lanes: int = 1
    model_cfg: dict[str, Any] = field(default_factory=lambda: MODEL_CFG)

    def summary(self) -> str:
        """One line that is equal for equal configurations."""
        start = None if self.start is None else hashlib.sha256(self.start.read_bytes()).hexdigest()
        return json.dumps([self.steps, self.seed, [vars(s) for s in self.stages], self.layers, self.dpam_layer,
                           sorted(self.without), self.muon, start, self.rate, self.lanes, self.model_cfg])  # fmt: skip


def train(
    config: TrainingConfig,
    out: Path,
    *,
    resume: bool = False,
    device: str = "cpu",
    background: bool = True,
    snapshot_minutes: float = 5.0,
    held_out: int = 96,
    stop_after: int | None = None,
) -> CLIP:
    """Train (or go on training) and leave checkpoint, snapshot and log in `out`.

    Args:
        resume: go on from `out`/checkpoint.pt.
        device: torch's name of where the model learns.
        background: draw in other processes.
        snapshot_minutes: how often the checkpoint, the exported weights and the held-out figures are renewed.
        held_out: how many drawings that training never sees the figures in log.jsonl are taken on.
        stop_after: leave off at this step, as an interruption would.

    Raises:
        ValueError: the checkpoint belongs to another configuration.
        FileNotFoundError: there is nothing to resume.
    """
    out.mkdir(parents=True, exist_ok=True)
    model = build_model(config.seed, config.model_cfg).to(device)
    if config.start is not None:
        load_weights(model, config.start)
    vision = TwoStreamVision(model.visual, config.dpam_layer)
    optimizers = make_optimizers(model, muon=config.muon)
    first = load_checkpoint(out / "checkpoint.pt", config, model, optimizers) if resume else 0
    last = config.steps if stop_after is None else min(stop_after, config.steps)
    drawn = batches_from(
        DrawnBatches(config.seed, config.stages, config.steps, config.without, config.lanes),
        first,
        background=background,
    )
    smooth: dict[str, float] = {}
    saved_at = time.monotonic()
    with tqdm(total=config.steps, initial=first, unit="step", smoothing=0.05) as bar:
        for step in range(first, last):
            rate = config.rate * rate_at(step / config.steps)
            batch = augmented(next(drawn).to(torch.device(device)), config.seed, step)
            losses = train_step(model, vision, config.layers, batch, optimizers, rate)
            smooth = _smoothed(smooth, losses)
            bar.set_postfix({name: f"{value:.3f}" for name, value in smooth.items()}, refresh=False)
            bar.update()
            if time.monotonic() - saved_at > 60 * snapshot_minutes and step + 1 < last:
                save_snapshot(out, config, model, optimizers, step + 1, smooth, held_out)
                saved_at = time.monotonic()
    save_snapshot(out, config, model, optimizers, last, smooth, held_out)
    return model


def train_step(
    model: CLIP,
    vision: TwoStreamVision,
    layers: tuple[int, ...],
    batch: Batch,
    optimizers: list[torch.optim.Optimizer],
    rate: float,
) -> Losses:
    """One update at `rate` (0–1) of the highest learning rate, on a batch that lies where the model does.

    Float32 weights, bfloat16 products where they pay.
    """
    device = model.logit_scale.device
    with torch.autocast(device.type, torch.bfloat16, enabled=is_fast("bf16", str(device))):
        losses = training_losses(model, vision, layers, batch)
    losses.total.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["peak_lr"] * rate
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return losses


def make_optimizers(model: CLIP, *, muon: bool) -> list[torch.optim.Optimizer]:
    """Muon for the blocks' matrices (or AdamW for all); AdamW for the rest, without decay on vectors and embeddings."""
    hidden, decayed, free = [], [], []
    for name, parameter in model.named_parameters():
        if parameter.ndim == 2 and "resblocks" in name:
            hidden.append(parameter)
        elif parameter.ndim >= 2 and "embedding" not in name:
            decayed.append(parameter)
        else:
            free.append(parameter)
    groups = [
        {"params": decayed + ([] if muon else hidden), "weight_decay": _DECAY, "peak_lr": _ADAM_RATE},
        {"params": free, "weight_decay": 0.0, "peak_lr": _ADAM_RATE},
    ]
    adam = torch.optim.AdamW(groups, lr=_ADAM_RATE, betas=(0.9, 0.98))
    if not muon:
        return [adam]
    matrices = [{"params": hidden, "peak_lr": _MUON_RATE}]
    return [adam, torch.optim.Muon(matrices, lr=_MUON_RATE, weight_decay=_DECAY, adjust_lr_fn="match_rms_adamw")]


def _smoothed(before: dict[str, float], losses: Losses) -> dict[str, float]:
    now = {name: float(value.detach()) for name, value in vars(losses).items()}
    return {name: _SMOOTHING * before.get(name, value) + (1 - _SMOOTHING) * value for name, value in now.items()}


def save_snapshot(
    out: Path,
    config: TrainingConfig,
    model: CLIP,
    optimizers: list[torch.optim.Optimizer],
    step: int,
    losses: dict[str, float],
    held_out: int,
) -> None:
    """Checkpoint to resume from, weights to use, and a line of figures in log.jsonl."""
    state = {
        "config": config.summary(),
        "step": step,
        "model": model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
    }
    torch.save(state, out / "checkpoint.tmp")
    os.replace(out / "checkpoint.tmp", out / "checkpoint.pt")
    export(model, out, layers=config.layers, dpam_layer=config.dpam_layer, model_cfg=config.model_cfg)
    figures: dict[str, Any] = {"step": step, "losses": losses}
    figures["held_out"] = check(model, config.layers, config.dpam_layer, seed=config.seed, count=held_out)
    with (out / "log.jsonl").open("a") as log:
        log.write(json.dumps(figures) + "\n")
    tqdm.write(json.dumps(figures))


def load_checkpoint(path: Path, config: TrainingConfig, model: CLIP, optimizers: list[torch.optim.Optimizer]) -> int:
    """Put a checkpoint's state into model and optimizers; returns the step to go on with."""
    if not path.exists():
        raise FileNotFoundError(f"There is no checkpoint at {path}: start without --resume first.")
    state: dict[str, Any] = torch.load(path, weights_only=True, map_location=model.logit_scale.device)
    if state["config"] != config.summary():
        raise ValueError(
            f"The checkpoint at {path} was made with {state['config']}, not with {config.summary()}. "
            "Resume with the same options, or choose another --out."
        )
    model.load_state_dict(state["model"])
    for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(saved)
    return int(state["step"])
