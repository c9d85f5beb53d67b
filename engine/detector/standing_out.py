"""What stands out among a folder's images where nobody has said anything of them.

A score means little before there is a label to hold it against: on one product all images have 0.9, on another 0.1.
So images are compared with each other: by what the prompts say of them, by the highest values of their maps, and by how
rare their textures are among the others, anywhere and at the same place (MuSc's idea, arXiv 2401.16753). The limit is
put where these values part best (Otsu), within bounds: most images of a folder are taken to be like the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from skimage.filters import threshold_otsu

from engine.detector.detector import Scored
from engine.detector.image_head import logit, map_logit
from engine.detector.memory import memory_patches
from engine.detector.others import IMAGES, Others, find_others, identity
from engine.features.image_features import ImageFeatures

# Images from which on something can be said to stand out among them.
FEWEST = 8
# How much each voice counts: prompts, map, rare anywhere, rare at its place. Chosen on ten public sets.
_WEIGHTS = np.array([2.0, 1.0, 1.0, 1.0])
_RAREST = 0.1  # the share of an image's patches, the rarest, whose mean says how rare it is
_LEAST_QUANTILE, _MOST_QUANTILE = 0.72, 0.9
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Standing:
    """What is usual among some images.

    Attributes:
        others: their patches.
        middle: (4,) the voices' medians…
        spread: (4,) …and how far apart their quartiles are.
        limit: images whose value lies above it stand out.
    """

    others: Others
    middle: Floats
    spread: Floats
    limit: float

    def stands_out(self, features: ImageFeatures, scored: Scored) -> bool:
        """Whether an image stands out among those.

        Args:
            features: of the image, with their surface.
            scored: what prompts that learnt nothing of the product say of it.
        """
        return bool(self._value(_voices(self.others, features, scored)) > self.limit)

    def _value(self, voices: Floats) -> Floats:
        return (voices - self.middle) / self.spread @ _WEIGHTS


def find_standing(images: Sequence[ImageFeatures], scored: Sequence[Scored], seed: int = 0) -> Standing:
    """What is usual among images, of which patches of at most `IMAGES` are kept.

    Raises:
        ValueError: there are fewer than `FEWEST`.
    """
    if len(images) < FEWEST:
        raise ValueError(f"Among {len(images)} images nothing can stand out; {FEWEST} are needed.")
    others = find_others(images[:IMAGES], seed)
    voices = np.stack([_voices(others, one, said) for one, said in zip(images, scored, strict=True)])
    low, middle, high = np.quantile(voices, [0.25, 0.5, 0.75], axis=0)
    usual = Standing(others, middle, high - low + 1e-9, 0.0)
    values = usual._value(voices)
    least, most = np.quantile(values, [_LEAST_QUANTILE, _MOST_QUANTILE])
    return Standing(others, middle, usual.spread, float(np.clip(threshold_otsu(values), least, most)))


def _voices(others: Others, features: ImageFeatures, scored: Scored) -> Floats:
    """(4,) how anomalous an image is by prompts, map, and rarity anywhere and at its place."""
    rarity = others.rarity(*memory_patches(features), own=identity(features)).flatten(1)
    count = max(1, round(_RAREST * rarity.shape[1]))
    rarest = rarity.topk(count, dim=1).values.mean(dim=1)
    return np.array([logit(scored.score), map_logit(scored.anomaly_map), *rarest.tolist()])
