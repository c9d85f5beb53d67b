"""The engine as a library: load, score, fit, save. `from engine import Detector`; docs/library.md shows all of it.

Two classes are called Detector. This one is for whoever writes a program: it owns a model and takes files, Pillow
images and arrays. The other, `engine.detector.detector.Detector`, is what a version knows and what `save` writes:
prompts, heads, refiner, image head. The rest of the engine means that one; here it is called `Version`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from os import PathLike
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from engine.backbone.loading import load_backbone
from engine.detector.detector import Detector as Version
from engine.detector.detector import Scored
from engine.detector.files import detector_to_bytes
from engine.detector.maps import FloatMap, resize_map
from engine.detector.prompt_files import shipped_prompts
from engine.detector.regions import OutlinedRegion, find_regions
from engine.errors import EngineError
from engine.features.spilled import SpilledFeatures
from engine.files.whole import write_whole
from engine.images.depth import DepthRule
from engine.images.inputs import Source, depth_set_by_source, file_name, identity, read_image, read_marks
from engine.images.tiles import score_in_tiles
from engine.learning.corrected_files import make_correction
from engine.learning.corrections import Correction
from engine.learning.fitting import Config, Outcome, Progress, learn
from engine.serving.engine import Engine

# A mask, None for a normal image, or True for one that is anomalous where nobody says.
Marks = Source | bool | None


@dataclass(frozen=True)
class Result:
    """What is said of one image.

    Attributes:
        score: 0–1, higher is more anomalous.
        anomaly_map: (H, W) float32 at the upright image's own size, 0–1.
    """

    score: float
    anomaly_map: FloatMap

    def mask(self, threshold: float = 0.5) -> npt.NDArray[np.bool_]:
        """(H, W), true where the map reaches the threshold."""
        return self.anomaly_map >= threshold

    def regions(self, threshold: float = 0.5) -> list[OutlinedRegion]:
        """The connected regions of the mask, the highest peak first."""
        height, width = self.anomaly_map.shape
        return find_regions(self.anomaly_map, height, width, threshold, most=None)


class Detector:
    """A model and what it knows of a product. Get one by `Detector.load`; safe to call from several threads.

    `fit` gives another one and changes nothing here, so that both can be compared.

    Attributes:
        engine: the backbone at one resolution.
        version: prompts, and what was learnt besides.
        depth: which values of images with more than 8 bits are black and white; None: of each its own.
        outcome: of the fit that it comes from, with what was judged out of fold; None: loaded.
    """

    def __init__(
        self,
        engine: Engine,
        version: Version,
        *,
        max_pixels: int = 100_000_000,
        depth: tuple[float, float] | None = None,
    ) -> None:
        self.engine, self.version, self.max_pixels = engine, version, max_pixels
        self.depth = version.depth if depth is None else DepthRule(*map(float, depth))
        self.outcome: Outcome | None = None
        self._root = version  # where learning starts, however often: no fit inherits another one's drift

    @classmethod
    def load(
        cls,
        backbone: str = "embedded",
        file: str | PathLike[str] | None = None,
        *,
        device: str = "auto",
        precision: str = "auto",
        image_size: int = 0,
        cache: str | PathLike[str] | None = None,
        max_pixels: int = 100_000_000,
        depth: tuple[float, float] | None = None,
    ) -> "Detector":
        """Load a backbone, and what was learnt for it.

        Args:
            backbone: `embedded`; an open_clip `model/tag`, such as `ViT-L-14-336-quickgelu/openai`; or `model@file`.
            file: what `save` or the product wrote, prompts alone, or the reference's `.pth`; None: the prompts that
                come with the backbone.
            device: `auto` (CUDA where there is one), `cpu`, `cuda`, `cuda:1`.
            precision: of the vision tower: `auto` (bf16 where the device multiplies in it, else fp32), `fp32`, `bf16`,
                `fp16`.
            image_size: side in px of the square that images are seen as; 0: the backbone's own.
            cache: a folder that keeps features of images that were fitted to, for the next fit; None: none.
            max_pixels: largest image accepted, width × height.
            depth: the values that are black and white in images of more than 8 bits, the same for all, so that their
                exposure compares; such as a project's, under Settings. None: as the file says, else of each its own.

        Raises:
            ValueError: `depth` is no range.
            BackboneError: no such backbone, device or precision.
            PromptError: the file can't be read, or belongs to another backbone.
            OSError: there is no such file.
        """
        if file is None and Path(backbone).is_file():
            raise EngineError(
                f"{backbone} is a file, and what comes first is the backbone that it was learnt for: "
                f"Detector.load('embedded', {backbone!r})."
            )
        learnt = None if file is None else Path(file).read_bytes()  # before the model, which takes longer
        loaded = load_backbone(backbone, device, precision)
        engine = Engine(loaded, image_size=image_size, cache_folder=Path(cache) if cache else None)
        version = engine.detector_of(shipped_prompts(loaded)) if learnt is None else engine.load_detector(learnt)
        return cls(engine, version, max_pixels=max_pixels, depth=depth)

    def __repr__(self) -> str:
        backbone = self.engine.backbone
        knows = " + ".join(self.version.parts)
        return f"<Detector {backbone.info.name}: {knows}; {backbone.device}, {backbone.precision}>"

    def score(self, image: Source, *, tile_side: int | None = None) -> Result:
        """Score one image.

        Args:
            image: a path, a Pillow image, or an array; see `engine.images.inputs.read_image`.
            tile_side: in px: a larger image is scored in overlapping squares of this side too, for small defects.

        Raises:
            ImageError: it can't be used.
            OSError: there is no such file.
        """
        return next(self.score_all([image], tile_side=tile_side))

    def score_all(self, images: Iterable[Source], *, tile_side: int | None = None) -> Iterator[Result]:
        """Score images in their order, in batches that suit the device; few are in memory at a time.

        Args:
            images: see `score`.
            tile_side: see `score`.

        Raises:
            EngineError: a tile is smaller than a patch.
            ImageError: one can't be used; it says which, where it is a file.
            OSError: there is no such file.
        """
        patch = self.engine.info.patch_size
        if tile_side is not None and tile_side < patch:
            raise EngineError(f"tile_side={tile_side}: a tile needs {patch} px or more.")
        return self._scored(iter(images), tile_side)

    def _scored(self, images: Iterator[Source], tile_side: int | None) -> Iterator[Result]:
        while batch := [self._read(image) for image in islice(images, self.engine.batch_size)]:
            for picture, scored in zip(batch, self._score_batch(batch, tile_side), strict=True):
                yield Result(scored.score, resize_map(scored.anomaly_map, picture.height, picture.width))

    def _score_batch(self, pictures: Sequence[Image.Image], tile_side: int | None) -> list[Scored]:
        if tile_side is None:
            return self.engine.score_images(pictures, self.version)
        return [score_in_tiles(self.engine, picture, self.version, tile_side) for picture in pictures]

    def fit(
        self,
        images: Sequence[Source],
        masks: Sequence[Marks],
        *,
        epochs: int = Config.epochs,
        seed: int = Config.seed,
        report: Callable[[Progress], None] = lambda progress: None,
    ) -> "Detector":
        """Learn from labelled images what the product learns from corrections.

        Where no rule says how images of more than 8 bits are seen, the first of these that has more sets it for all,
        and it is saved with what is returned. Scores are shifted so that 0.5 parts normal from anomalous best.
        `outcome` of what is returned says whether it is surely better than this one, judged on images that it had not
        seen (`outcome.decision.promote`); with fewer than two anomalous images nothing can be judged.

        Args:
            images: see `score`.
            masks: one for each image, of its size, nonzero where anomalous (an empty one says normal); None: the image
                is normal; True: it is anomalous, and nobody says where.
            epochs: of prompt tuning.
            seed: of everything random.
            report: is told after every stage where it stands.

        Returns:
            a detector that has learnt from them; this one stays as it is.

        Raises:
            ValueError: not as many masks as images.
            Unfit: a ValueError: no image is normal, and none has its defect marked.
            ImageError: an image or a mask can't be used.
            OSError: there is no such file, or no room on disk for features.
        """
        if len(images) != len(masks):
            raise ValueError(
                f"There are {len(images)} images and {len(masks)} masks. Give one for each: None where it is normal."
            )
        depth = self.depth or self._depth_set_by(images)
        spilled = SpilledFeatures()  # its file lives for as long as the features are in use
        corrections = [self._correction(*pair, depth, spilled) for pair in zip(images, masks, strict=True)]
        outcome = learn(self.engine, self._root, self.version, corrections, Config(epochs, seed), report)
        version = replace(outcome.detector, depth=depth)
        fitted = Detector(self.engine, version, max_pixels=self.max_pixels)
        fitted.outcome, fitted._root = outcome, self._root
        return fitted

    def save(self, file: str | PathLike[str]) -> None:
        """Write what it knows, without the backbone; whole or not at all. `load`, the command line and Train read it.

        Raises:
            OSError: it can't be written.
        """
        write_whole(Path(file), detector_to_bytes(self.version))

    def _read(self, image: Source) -> Image.Image:
        return read_image(image, max_pixels=self.max_pixels, depth=self.depth)

    def _depth_set_by(self, images: Sequence[Source]) -> DepthRule | None:
        rules = (depth_set_by_source(image, max_pixels=self.max_pixels) for image in images)
        return next((rule for rule in rules if rule is not None), None)

    def _correction(self, image: Source, marks: Marks, depth: DepthRule | None, spilled: SpilledFeatures) -> Correction:
        picture = read_image(image, max_pixels=self.max_pixels, depth=depth)
        mask = None
        if marks is not None and not isinstance(marks, bool):
            mask = read_marks(marks, width=picture.width, height=picture.height)
        anomalous = bool(marks) if mask is None else bool(mask.any())
        correction = make_correction(
            self.engine, identity(image, depth), picture, int(anomalous), mask, file_name(image)
        )
        return replace(correction, features=spilled.keep(correction.features))
