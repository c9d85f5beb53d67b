"""Methods tuned on auxiliary sets before they are evaluated: AnomalyCLIP's prompts, CoOp's, APRIL-GAN's layers.

A tuning is kept on disk after each epoch under the key of all that it depends on: a run that was cut off goes on from
there, and runs that need the same tuning share it.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import torch
from tqdm import tqdm

from engine.detector.detector import Scored, score_by_texts
from engine.detector.named_prompts import NamedPromptTuner
from engine.detector.prompt_files import prompts_to_bytes
from engine.detector.prompts import Prompts, random_prompts
from engine.evaluation.baselines.april_gan import AprilGanTuner
from engine.evaluation.datasets.item import DatasetError, LabelledImage
from engine.evaluation.datasets.truth import read_truth
from engine.evaluation.evaluate import Bench, encoded
from engine.evaluation.reporting.parts import describe_files, write_whole
from engine.features.encoders import Encoder, local_features, plain_features, raw_tokens
from engine.features.image_features import ImageFeatures
from engine.features.spilled import SpilledFeatures
from engine.images.preprocessing import preprocess_mask
from engine.learning.prompt_tuning import Tuner
from engine.learning.tuning_loop import Example, TuningConfig, TuningLoop
from engine.serving.engine import Engine

Loop = TypeVar("Loop", bound=TuningLoop)


@dataclass(frozen=True)
class Auxiliary:
    """What to tune on, and how.

    Attributes:
        images: labelled, with masks where they are anomalous.
        config: of the loop.
        epochs: passes over the images.
        folder: where tunings are kept.
        bench: resolution and feature cache.
        read: the examples of the encoder that was asked last, so that several tunings read them once.
    """

    images: Sequence[LabelledImage]
    config: TuningConfig
    epochs: int
    folder: Path
    bench: Bench
    read: dict[str, tuple[SpilledFeatures, list[Example]]] = field(default_factory=dict, compare=False, repr=False)


@dataclass
class Trained:
    """A method whose loop was run."""

    name: str
    key: str
    encoder: Encoder
    scorer: Callable[[ImageFeatures, str], Scored]

    def score(self, features: ImageFeatures, class_name: str) -> Scored:
        """Score one image of a class."""
        return self.scorer(features, class_name)


def tuned_prompts(
    engine: Engine,
    start: Prompts,
    auxiliary: Auxiliary,
    *,
    name: str = "anomalyclip",
    encoder: Encoder | None = None,
    with_class: bool = False,
) -> Trained:
    """Prompts tuned from a start; with `with_class` they name the class.

    Args:
        engine: backbone and resolution.
        start: where tuning starts.
        auxiliary: what to tune on, and how.
        name: of the method or of an experiment's row.
        encoder: gives the features, AnomalyCLIP's own by default.
        with_class: object-aware in place of object-agnostic prompts.
    """
    chosen = encoder or local_features(engine)
    start_key = hashlib.sha256(prompts_to_bytes(replace(start, note=""))).hexdigest()
    key = f"prompts {with_class} {start_key}"
    kind = NamedPromptTuner if with_class else Tuner
    loop, key = _run(lambda examples: kind(engine.backbone, start, examples, auxiliary.config), key, chosen, auxiliary)

    @torch.inference_mode()
    def score(features: ImageFeatures, class_name: str) -> Scored:
        text = loop.text_of(class_name) if isinstance(loop, NamedPromptTuner) else loop.text_features()
        seen = features.by_class_token(start.class_token)
        return score_by_texts([seen], text, engine.info.patch_size, reference=engine.reference)[0]

    return Trained(name, key, chosen, score)


def coop(engine: Engine, auxiliary: Auxiliary) -> Trained:
    """CoOp: learnable contexts that name the class, tuned by the image's cross-entropy alone, on plain CLIP's features.

    Raises:
        DatasetError: the auxiliary images are all normal or all anomalous, so the loss teaches nothing.
    """
    if len({one.label for one in auxiliary.images}) < 2:
        raise DatasetError("CoOp learns from normal and anomalous images; the set to tune on has only one kind.")
    start = random_prompts(engine.backbone, auxiliary.config.seed, depth=1)
    config = replace(auxiliary.config, weight=0.0)
    return tuned_prompts(
        engine, start, replace(auxiliary, config=config), name="coop", encoder=plain_features(engine), with_class=True
    )


def april_gan(engine: Engine, auxiliary: Auxiliary) -> Trained:
    """APRIL-GAN's linear layers, trained on the auxiliary images."""
    encoder = raw_tokens(engine)
    loop, key = _run(
        lambda examples: AprilGanTuner(engine, examples, auxiliary.config), "april_gan", encoder, auxiliary
    )
    return Trained("april_gan", key, encoder, lambda features, name: loop.score(features, name, engine.image_size))


def _run(make: Callable[[list[Example]], Loop], kind: str, encoder: Encoder, auxiliary: Auxiliary) -> tuple[Loop, str]:
    described = f"{kind} {encoder.key} {auxiliary.config} {auxiliary.epochs} {describe_files(auxiliary.images)}"
    key = hashlib.sha256(described.encode()).hexdigest()
    auxiliary.folder.mkdir(parents=True, exist_ok=True)
    file = auxiliary.folder / f"{key[:32]}.pt"
    loop = make(_examples(encoder, auxiliary))
    if file.is_file():
        loop.restore(file.read_bytes())
    with tqdm(total=auxiliary.epochs, initial=loop.epoch, desc="tuning", unit="epoch", disable=None) as bar:
        while loop.epoch < auxiliary.epochs:
            bar.set_postfix(loss=f"{loop.run_epoch()['total']:.3f}")
            write_whole(file, loop.state())
            bar.update()
    return loop, key


def _examples(encoder: Encoder, auxiliary: Auxiliary) -> list[Example]:
    if encoder.key not in auxiliary.read:
        auxiliary.read.clear()
        spilled = SpilledFeatures(auxiliary.bench.scratch)
        auxiliary.read[encoder.key] = spilled, _read_examples(encoder, auxiliary, spilled)
    return auxiliary.read[encoder.key][1]


def _read_examples(encoder: Encoder, auxiliary: Auxiliary, spilled: SpilledFeatures) -> list[Example]:
    problems: list[str] = []
    examples = []
    bar = tqdm(auxiliary.images, desc="encoding to tune on", unit="image", disable=None)
    for one, picture, features in encoded(auxiliary.images, encoder, auxiliary.bench, problems):
        bar.update()
        side = auxiliary.bench.image_size
        mask = torch.zeros(side, side, dtype=torch.uint8)
        if one.label:
            if one.mask is None:
                raise DatasetError(
                    f"{one.image} is anomalous and has no mask: it can't be tuned on. Choose a set with masks."
                )
            pixels = read_truth(one, width=picture.width, height=picture.height)
            mask = preprocess_mask(pixels, side, keep_small=auxiliary.bench.keep_small)
        examples.append(Example(spilled.keep(features), mask, one.class_name))
    bar.close()
    if problems:
        raise DatasetError("Images to tune on can't be used: " + " ".join(problems))
    return examples
