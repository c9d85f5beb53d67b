"""`python -m engine export`: the model with a detector in it, for programs that have no torch."""

import argparse
import re
from pathlib import Path

from engine.detector.detector import Detector
from engine.errors import EngineError
from engine.files.whole import check_writable
from engine.serving.engine import Engine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("--format", choices=["onnx"], default="onnx", help="of the file (default %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    parser.add_argument(
        "--size",
        default="1x1",
        metavar="WxH",
        help="of the images that it is for, such as 1920x1080 (default: square)",
    )


def run(engine: Engine, detector: Detector, arguments: argparse.Namespace) -> int:
    """Export, compare with torch, and write; the file appears only where both agree.

    Raises:
        EngineError: --size is no size.
        OSError: --out can't be written, which is found out before the work begins.
        ExportError: what is exported computes something else, or is too large.
    """
    from engine.exports.onnx_file import TOLERANCE, export_onnx  # loads onnx, which no other command needs

    check_writable(arguments.out)
    size = _size(arguments.size)
    difference = export_onnx(engine, detector, arguments.out, size)
    height, width = engine.grid_for(*size).times(engine.info.patch_size)
    surface = engine.surface_for(*size)
    inputs = f"image (B, 3, {height}, {width})"
    if detector.sees_surface:
        inputs += f" and surface (B, 3, {2 * surface.rows}, {2 * surface.columns})"
    if detector.refiner is not None:
        height, width = surface
    print(
        f"Wrote {arguments.out} ({', '.join(detector.parts)}): {inputs} to score (B,) and map (B, {height}, {width}). "
        f"The largest difference from torch is {difference:.1e}; {TOLERANCE:.0e} is accepted. "
        "Its metadata say how to preprocess."
    )
    return 0


def _size(words: str) -> tuple[int, int]:
    """Width and height. Raises EngineError."""
    found = re.fullmatch(r"(\d{1,6})[x×](\d{1,6})", words.strip().lower())
    if found is None or not all(int(side) for side in found.groups()):
        raise EngineError(f"--size {words}: name the width and height of your images in px, such as 1920x1080.")
    return int(found[1]), int(found[2])
