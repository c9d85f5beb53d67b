"""Real photographs to choose a method by: `python -m benchmarks.development_sets CLONES OUT`.

CLONES holds clones of public repositories, each under the name that `MAKERS` gives; a fixed sample of each becomes a
folder of `images/`, `masks/` and `index.csv` in OUT, which `benchmarks.embedded --sets` reads (SAMPLE_DATA_DIR=OUT).
Each maker says what its set shows and where its repository is.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.development_sets import industrial, nature
from benchmarks.development_sets.found import Found, write_set

MAKERS: dict[str, Callable[[Path], Iterator[Found]]] = {
    maker.__name__: maker
    for maker in (
        industrial.magnetic_tile,
        industrial.deep_pcb,
        industrial.neu_det,
        industrial.elpv,
        industrial.neu_seg,
        industrial.cookies,
        industrial.metal_plate,
        industrial.weld,
        industrial.cracked_tile,
        industrial.insulators,
        industrial.wood_board,
        industrial.casting,
        industrial.screw,
        nature.coffee_leaf,
        nature.breast_ultrasound,
        nature.foot_ulcer,
        nature.weeds,
        nature.brain_mri,
    )
}


def main() -> None:
    """Make a folder of each set whose clone is there."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.development_sets",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("clones", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--sets", nargs="*", choices=MAKERS, default=list(MAKERS), help="only these")
    arguments = parser.parse_args()
    for name in arguments.sets:
        if not (arguments.clones / name).is_dir():
            print(f"{name}: left out, there is no {arguments.clones / name}")
            continue
        count = write_set(arguments.out / name, list(MAKERS[name](arguments.clones / name)))
        print(f"{name}: {count} images")
