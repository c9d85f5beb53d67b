"""`python -m engine tune`: prompts from the test images of a data set with masks, into a file."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from engine.datasets.catalogue import CATALOGUE, find_data_set
from engine.datasets.item import DatasetError, LabelledImage
from engine.datasets.truth import read_mask
from engine.detector.detector import Detector
from engine.errors import EngineError
from engine.files import write_whole
from engine.images import decode_image
from engine.preprocess import mask_shares, preprocess_mask
from engine.prompt_files import prompts_to_bytes
from engine.prompts import Prompts, random_prompts
from engine.serving import Engine
from engine.spilled import SpilledFeatures
from engine.tuning import Example, Tuner, TuningConfig

REFERENCE_SEED = 111


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
    parser.add_argument("--out", type=Path, required=True, help="file for the prompts (.safetensors)")
    parser.add_argument("--epochs", type=int, default=15, help="passes over the images (default %(default)s)")
    parser.add_argument("--learning-rate", type=float, default=1e-3, help="of Adam (default %(default)s)")
    parser.add_argument("--batch-size", type=int, default=8, help="images a step (default %(default)s)")
    parser.add_argument("--seed", type=int, default=REFERENCE_SEED, help="of prompts and order (default %(default)s)")


def run(engine: Engine, detector: Detector, arguments: argparse.Namespace) -> int:
    """Tune and write; the file appears whole or not at all.

    With the reference's choices tuning starts from random vectors, otherwise from the detector's prompts.

    Returns:
        0; 1 where images or masks could not be used, and the others were tuned on.

    Raises:
        DatasetError: there is nothing to tune on.
    """
    images = [one for one in find_data_set(arguments.dataset).read(arguments.data) if one.split == "test"]
    if not images:
        raise DatasetError(f"{arguments.data} holds no images of the test split, which tuning learns from.")
    spilled = SpilledFeatures()
    examples, failed = [], 0
    for one in tqdm(images, desc="encoding", unit="image"):
        try:
            examples.append(_example(engine, one, spilled))
        except (OSError, EngineError) as error:
            tqdm.write(f"{one.image}: {error}", file=sys.stderr)
            failed += 1
    if not examples:
        raise DatasetError(f"None of the {failed} images of {arguments.data} can be tuned on; see above.")
    start = random_prompts(engine.backbone, arguments.seed) if engine.reference else detector.prompts
    note = f"tuned on {len(examples)} images of {arguments.data.name} for {arguments.epochs} epochs"
    write_whole(arguments.out, prompts_to_bytes(_tuned(engine, start, examples, arguments, note)))
    print(f"Wrote {arguments.out}: {note}.")
    if failed:
        print(f"{failed} of {len(images)} images could not be used; they are named above.", file=sys.stderr)
    return int(bool(failed))


def _tuned(
    engine: Engine, start: Prompts, examples: Sequence[Example], arguments: argparse.Namespace, note: str
) -> Prompts:
    """Prompts tuned from `start` on the examples."""
    config = TuningConfig(
        learning_rate=arguments.learning_rate,
        batch_size=arguments.batch_size,
        cast_float16=engine.reference,
        seed=arguments.seed,
    )
    tuner = Tuner(engine.backbone, start, examples, config)
    with tqdm(total=arguments.epochs, desc="tuning", unit="epoch") as bar:
        for _ in range(arguments.epochs):
            bar.set_postfix(loss=f"{tuner.run_epoch()['total']:.3f}")
            bar.update()
    return tuner.prompts(note)


def _example(engine: Engine, one: LabelledImage, spilled: SpilledFeatures) -> Example:
    image = decode_image(one.image.read_bytes())
    if one.label and one.mask is None:
        raise DatasetError("It is anomalous and has no mask. Add one, or move it away.")
    features = engine.encode([image])[0]
    size = features.grid.times(engine.info.patch_size)
    marked = np.zeros((image.height, image.width), dtype=np.uint8)
    if one.mask is not None:
        marked = read_mask(one.mask, width=image.width, height=image.height)
    mask = preprocess_mask(marked, size) if engine.reference else mask_shares(marked, size)
    return Example(spilled.keep(features), mask)
