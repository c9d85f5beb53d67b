"""`python -m engine fit`: a detector, or prompts alone, from the test images of a data set, into a file."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from engine.detector.detector import Detector
from engine.detector.files import detector_to_bytes
from engine.detector.prompt_files import prompts_to_bytes
from engine.detector.prompts import Prompts, random_prompts
from engine.errors import EngineError
from engine.evaluation.datasets.catalogue import CATALOGUE, find_data_set
from engine.evaluation.datasets.item import DatasetError, LabelledImage
from engine.evaluation.datasets.truth import read_truth
from engine.evaluation.reporting.tables import markdown_table, percent
from engine.features.spilled import SpilledFeatures
from engine.files.whole import check_writable, write_whole
from engine.images.preprocessing import mask_shares, preprocess_mask
from engine.learning.corrected_files import read_correction
from engine.learning.corrections import Correction
from engine.learning.fitting import Config, Outcome, Progress, Unfit, learn
from engine.learning.prompt_tuning import Tuner
from engine.learning.tuning_loop import Example, TuningConfig
from engine.serving.engine import Engine

REFERENCE_SEED = 111
_PAPERS_EPOCHS, _PAPERS_RATE, _PAPERS_BATCH = 15, 1e-3, 8
_SHOWN = {"pixel_auroc": "pixel AUROC", "pixel_ap": "pixel AP", "image_auroc": "image AUROC"}
Taken = TypeVar("Taken")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument(
        "--dataset",
        default="folder",
        choices=list(CATALOGUE),
        metavar="NAME",
        help="as `evaluate --list` names them (default %(default)s: normal/, anomalous/ and masks/)",
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--out", type=Path, required=True, help="file for the detector or prompts (.safetensors)")
    parser.add_argument(
        "--prompts-only",
        action="store_true",
        help="the paper's prompts alone, by its loss, from images with masks; implied by --reference",
    )
    parser.add_argument(
        "--epochs", type=int, help=f"of prompt tuning (default {Config.epochs}; with --prompts-only {_PAPERS_EPOCHS})"
    )
    parser.add_argument("--learning-rate", type=float, help=f"with --prompts-only: of Adam (default {_PAPERS_RATE:g})")
    parser.add_argument("--batch-size", type=int, help=f"with --prompts-only: images a step (default {_PAPERS_BATCH})")
    parser.add_argument("--seed", type=int, default=REFERENCE_SEED, help="of everything random (default %(default)s)")


def run(engine: Engine, detector: Detector, arguments: argparse.Namespace) -> int:
    """Learn and write; the file appears whole or not at all.

    Learnt is what the product learns from as many corrections, from the detector's prompts. The paper's prompts start
    from them too, and with the reference's choices from random vectors.

    Returns:
        0; 1 where images or masks could not be used, and it was learnt from the others.

    Raises:
        EngineError: options that don't go together; the tuning diverged.
        OSError: --out can't be written, which is found out before the work begins.
        DatasetError: there is nothing to learn from.
    """
    prompts_only = arguments.prompts_only or engine.reference
    if not prompts_only and (arguments.learning_rate is not None or arguments.batch_size is not None):
        raise EngineError("--learning-rate and --batch-size are of the paper's tuning: add --prompts-only.")
    check_writable(arguments.out)
    images = [one for one in find_data_set(arguments.dataset).read(arguments.data) if one.split == "test"]
    if not images:
        raise DatasetError(f"{arguments.data} holds no images of the test split, which tuning learns from.")
    engine.decoder = engine.decoder.with_depth_of(one.image for one in images)
    spilled = SpilledFeatures()
    if prompts_only:
        examples, failed = _usable(images, lambda one: _example(engine, one, spilled), arguments.data)
        data, words = _papers_prompts(engine, detector, examples, arguments)
    else:
        corrections, failed = _usable(images, lambda one: _correction(engine, one, spilled), arguments.data)
        data, words = _detector(engine, detector, corrections, arguments)
    write_whole(arguments.out, data)
    print(f"Wrote {arguments.out}: {words}")
    if failed:
        print(f"{failed} of {len(images)} images could not be used; they are named above.", file=sys.stderr)
    return int(bool(failed))


def _usable(
    images: Sequence[LabelledImage], read: Callable[[LabelledImage], Taken], folder: Path
) -> tuple[list[Taken], int]:
    """What could be read, and how many could not. Raises DatasetError where nothing could."""
    taken, failed = [], 0
    for one in tqdm(images, desc="encoding", unit="image"):
        try:
            taken.append(read(one))
        except (OSError, EngineError) as error:
            tqdm.write(f"{one.image}: {error}", file=sys.stderr)
            failed += 1
    if not taken:
        raise DatasetError(f"None of the {failed} images of {folder} can be tuned on; see above.")
    return taken, failed


def _detector(
    engine: Engine, detector: Detector, corrections: Sequence[Correction], arguments: argparse.Namespace
) -> tuple[bytes, str]:
    """A detector's file with all parts that the corrections support, and what to say of it."""
    config = Config(epochs=arguments.epochs or Config.epochs, seed=arguments.seed)
    with tqdm(total=100, desc="learning", unit="%") as bar:

        def show(progress: Progress) -> None:
            bar.set_postfix_str(progress.stage)
            bar.update(round(100 * progress.share) - bar.n)

        try:
            outcome = learn(engine, detector, detector, corrections, config, show)
        except Unfit as reason:
            raise DatasetError(f"{arguments.data}: {reason}") from reason
    parts = ", ".join(outcome.detector.parts)
    return detector_to_bytes(outcome.detector), (
        f"learnt from {len(corrections)} images of {arguments.data.name}: {parts}.\n\n{_judged(outcome)}"
    )


def _judged(outcome: Outcome) -> str:
    """What was offered, with its figures out of fold, and what they mean."""
    if not outcome.offers:
        return "There are too few anomalous images to judge it: try it on others before you rely on it."
    names = {"active": "before"}
    rows = [[names.get(one.name, one.name), *(percent(one.metrics[name]) for name in _SHOWN)] for one in outcome.offers]
    surely = (
        f"Written is what was best: {outcome.decision.chosen}."
        if outcome.decision.promote
        else "It is not surely better than what it was learnt from: try it on other images before you rely on it."
    )
    table = markdown_table(["in %, on images not learnt from", *_SHOWN.values()], rows)
    return f"{table}\n\n{surely}"


def _papers_prompts(
    engine: Engine, detector: Detector, examples: Sequence[Example], arguments: argparse.Namespace
) -> tuple[bytes, str]:
    """A prompt file, and what to say of it."""
    start = random_prompts(engine.backbone, arguments.seed) if engine.reference else detector.prompts
    epochs = arguments.epochs or _PAPERS_EPOCHS
    note = f"tuned on {len(examples)} images of {arguments.data.name} for {epochs} epochs"
    return prompts_to_bytes(_tuned(engine, start, examples, arguments, epochs, note)), f"{note}."


def _correction(engine: Engine, one: LabelledImage, spilled: SpilledFeatures) -> Correction:
    correction = read_correction(engine, one)
    return replace(correction, features=spilled.keep(correction.features))


def _tuned(
    engine: Engine, start: Prompts, examples: Sequence[Example], arguments: argparse.Namespace, epochs: int, note: str
) -> Prompts:
    """Prompts tuned from `start` on the examples."""
    config = TuningConfig(
        learning_rate=arguments.learning_rate or _PAPERS_RATE,
        batch_size=arguments.batch_size or _PAPERS_BATCH,
        cast_float16=engine.reference,
        seed=arguments.seed,
    )
    tuner = Tuner(engine.backbone, start, examples, config)
    with tqdm(total=epochs, desc="tuning", unit="epoch") as bar:
        for _ in range(epochs):
            bar.set_postfix(loss=f"{tuner.run_epoch()['total']:.3f}")
            bar.update()
    return tuner.prompts(note)


def _example(engine: Engine, one: LabelledImage, spilled: SpilledFeatures) -> Example:
    image = engine.decoder.read(one.image)
    if one.label and one.mask is None:
        raise DatasetError("It is anomalous and has no mask. Add one, move it away, or leave out --prompts-only.")
    features = engine.encode([image])[0]
    size = features.grid.times(engine.info.patch_size)
    marked = read_truth(one, width=image.width, height=image.height)
    mask = preprocess_mask(marked, size) if engine.reference else mask_shares(marked, size)
    return Example(spilled.keep(features), mask)
