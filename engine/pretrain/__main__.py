"""`python -m engine.pretrain --out DIR`: draw images and train the embedded backbone on them."""

import argparse
import os
import time
from dataclasses import replace
from pathlib import Path

import torch

from engine.backbone.loading import resolve_device
from engine.backbone.vision_tower import TwoStreamVision
from engine.errors import BackboneError
from engine.pretrain.augmentation import augmented
from engine.pretrain.batches import DrawnBatches
from engine.pretrain.drawing.defects import DEFECTS
from engine.pretrain.model import build_model
from engine.pretrain.schedule import LARGE_STAGES, LATER_RATE, LATER_STAGES, STAGES, Stage
from engine.pretrain.training import TrainingConfig, make_optimizers, train, train_step

DEFAULT_STEPS = 1300


def main() -> None:
    """Parse the command line and train."""
    arguments = _parser().parse_args()
    torch.set_num_threads(arguments.threads)
    try:
        device = resolve_device(arguments.device)
    except BackboneError as error:
        raise SystemExit(str(error)) from error
    config = TrainingConfig(
        steps=arguments.steps,
        seed=arguments.seed,
        stages=_stages(arguments),
        without=frozenset(arguments.without),
        muon=arguments.optimizer == "muon",
        start=arguments.start,
        rate=_rate(arguments),
        lanes=arguments.lanes,
    )
    if arguments.minutes:
        steps = steps_within(arguments.minutes, config, device)
        print(f"About {steps} steps fit into {arguments.minutes:g} minutes: the same run as --steps {steps}.")
        config = replace(config, steps=steps)
    try:
        train(config, arguments.out, resume=arguments.resume, device=device, stop_after=arguments.stop_after)
    except (FileNotFoundError, ValueError) as error:
        raise SystemExit(str(error)) from error
    if arguments.stop_after is not None and arguments.stop_after < config.steps:
        print(f"Left off at step {arguments.stop_after} of {config.steps}; --resume in place of --stop-after goes on.")
        return
    print(f"Done. {arguments.out / 'embedded.safetensors'} and embedded.json beside it go to engine/backbone/weights.")


def _stage(text: str) -> Stage:
    try:
        return Stage.parse(text)
    except ValueError as error:
        message = f"{text} is not START:SIZE:BATCH:FRESH, such as 0.6:192:160:0.1"
        raise argparse.ArgumentTypeError(message) from error


def _stages(arguments: argparse.Namespace) -> tuple[Stage, ...]:
    if arguments.stages:
        if arguments.stages[0].start != 0:
            raise SystemExit("Nothing says what the run begins with: let the first of --stages start at 0.")
        return tuple(arguments.stages)
    if arguments.large:
        return LARGE_STAGES
    return LATER_STAGES if arguments.start else STAGES


def _rate(arguments: argparse.Namespace) -> float:
    if arguments.rate is not None:
        return float(arguments.rate)
    return LATER_RATE if arguments.start else 1.0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engine.pretrain", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoint, weights and log")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=int, default=DEFAULT_STEPS, help="updates to make (default %(default)s)")
    length.add_argument("--minutes", type=float, help="choose the number of steps by measuring this machine first")
    parser.add_argument("--seed", type=int, default=0, help="decides weights, images and words (default %(default)s)")
    parser.add_argument(
        "--threads", type=int, default=os.cpu_count() or 1, help="CPU threads for the model (default: all cores)"
    )
    parser.add_argument(
        "--start", type=Path, help="exported weights to begin a later round with (default: new weights)"
    )
    parser.add_argument(
        "--optimizer", choices=["muon", "adamw"], default="muon",
        help="muon learns faster by the step; its bfloat16 products take longer than all the rest on a CPU that has "
        "no instructions for them, where adamw is the better choice (default %(default)s)",
    )  # fmt: skip
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda (default %(default)s)")
    schedule = parser.add_mutually_exclusive_group()
    schedule.add_argument("--large", action="store_true", help="a schedule for a GPU: large batches, 128 to 256 px")
    schedule.add_argument(
        "--stages", nargs="+", type=_stage, metavar="START:SIZE:BATCH:FRESH",
        help="another schedule: from which progress (0–1), px, images a step, share of them that is new",
    )  # fmt: skip
    parser.add_argument("--rate", type=float, help=f"scales the learning rates (default 1; {LATER_RATE} with --start)")
    parser.add_argument("--stop-after", type=int, metavar="STEP", help="leave off there, as an interruption would")
    parser.add_argument(
        "--lanes", type=int, default=1, help="processes that draw; decides the images, too (default %(default)s)"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out; same other options")
    parser.add_argument(
        "--without", nargs="*", default=[], choices=[defect.name for defect in DEFECTS], metavar="KIND",
        help="kinds of defect to leave out, to see what is found of kinds never drawn",
    )  # fmt: skip
    return parser


def steps_within(minutes: float, config: TrainingConfig, device: str) -> int:
    """How many steps of `config`'s stages take `minutes` here, from the second of two steps at each stage."""
    model = build_model(config.seed).to(device)
    vision, optimizers = TwoStreamVision(model.visual, config.dpam_layer), make_optimizers(model, muon=config.muon)
    seconds_a_step = 0.0
    ends = [stage.start for stage in config.stages[1:]] + [1.0]
    for stage, end in zip(config.stages, ends, strict=True):
        batch = augmented(DrawnBatches(config.seed, (stage,), 1)[0].to(torch.device(device)), config.seed, 0)
        train_step(model, vision, config.layers, batch, optimizers, 1.0)
        began = time.perf_counter()
        train_step(model, vision, config.layers, batch, optimizers, 1.0)
        seconds_a_step += (time.perf_counter() - began) * (end - stage.start)
    return max(int(minutes * 60 / seconds_a_step), 1)


if __name__ == "__main__":
    main()
