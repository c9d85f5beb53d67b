"""Random colours as people meet them: many greys and browns, few pure ones."""

import colorsys

import numpy as np
import numpy.typing as npt

from engine.pretrain.drawing.fields import Rng

Colour = npt.NDArray[np.float32]
Picture = npt.NDArray[np.float32]


def random_colour(rng: Rng, low: float = 0.08, high: float = 0.92) -> Colour:
    """(3,) RGB, 0–1; `low` and `high` bound the brightness."""
    saturation = 0.0 if rng.random() < 0.25 else rng.beta(1.2, 2.5)
    return np.array(colorsys.hsv_to_rgb(rng.random(), saturation, rng.uniform(low, high)), dtype=np.float32)


def tone(rng: Rng, hue: tuple[float, float], saturation: tuple[float, float], value: tuple[float, float]) -> Colour:
    """(3,) RGB within ranges of hue, saturation and value; hues wrap around 1."""
    picked = (rng.uniform(*hue) % 1.0, rng.uniform(*saturation), rng.uniform(*value))
    return np.array(colorsys.hsv_to_rgb(*picked), dtype=np.float32)


def shifted(rng: Rng, colour: Colour, by: float) -> Colour:
    """A colour whose channels differ from `colour` by about `by`, brighter or darker as a whole."""
    direction = rng.choice([-1.0, 1.0]) if 0.15 < colour.mean() < 0.85 else (1.0 if colour.mean() < 0.5 else -1.0)
    return np.clip(colour + direction * by + rng.normal(0, 0.3 * by, 3), 0, 1).astype(np.float32)


def blend(low: npt.NDArray[np.floating], high: npt.NDArray[np.floating], share: npt.NDArray[np.floating]) -> Picture:
    """(s, s, 3): `low` where share is 0, `high` where it is 1."""
    weight = share[..., None]
    return (low * (1 - weight) + high * weight).astype(np.float32)
