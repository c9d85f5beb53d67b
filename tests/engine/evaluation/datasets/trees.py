"""Small data sets, drawn into folders in the layouts that users have."""

from pathlib import Path

import numpy as np
from PIL import Image


def draw_image(path: Path, *, seed: int = 0, width: int = 24, height: int = 20) -> Path:
    """A noisy picture under the given name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)).save(path)
    return path


def draw_mask(path: Path, *, width: int = 24, height: int = 20, marked: bool = True) -> Path:
    """A mask with a rectangle in its middle, or an empty one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((height, width), dtype=np.uint8)
    if marked:
        pixels[height // 4 : height // 2, width // 4 : width // 2] = 255
    Image.fromarray(pixels).save(path)
    return path


def draw_mvtec_class(folder: Path, *, normal: str = "good", defect: str = "scratch", suffix: str = ".png") -> None:
    """`train/<normal>`, `test/{normal,defect}` and the defect's masks."""
    draw_image(folder / "train" / normal / f"000{suffix}")
    for number in range(2):
        draw_image(folder / "test" / normal / f"{number:03}{suffix}", seed=number)
        draw_image(folder / "test" / defect / f"{number:03}{suffix}", seed=10 + number)
        draw_mask(folder / "ground_truth" / defect / f"{number:03}_mask.png")
