"""Image sets with masks in folders of `images/`, `masks/` and `index.csv` (image,label,mask,…)."""

import csv
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

SAMPLE_DATA = Path(os.environ.get("SAMPLE_DATA_DIR", Path(__file__).parents[2] / "shared" / "data"))


@dataclass(frozen=True)
class Sample:
    """One image: its file, 1 where it is anomalous, and its mask's file where it has one."""

    image: Path
    label: int
    mask: Path | None

    def truth(self, height: int, width: int) -> npt.NDArray[np.uint8]:
        """(height, width) of 0 and 1."""
        if self.mask is None:
            return np.zeros((height, width), dtype=np.uint8)
        return (np.asarray(Image.open(self.mask).convert("L")) > 0).astype(np.uint8)


def read_samples(name: str) -> list[Sample]:
    """A set of the sample data. Raises FileNotFoundError saying where it looked."""
    folder = SAMPLE_DATA / name
    if not (folder / "index.csv").is_file():
        raise FileNotFoundError(f"There is no {folder / 'index.csv'}; set SAMPLE_DATA_DIR to the folder of the sets.")
    with (folder / "index.csv").open() as file:
        return [
            Sample(folder / row["image"], int(row["label"]), folder / row["mask"] if row["mask"] else None)
            for row in csv.DictReader(file)
        ]
