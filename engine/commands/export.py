"""`python -m engine export`: the model with prompts in it, for programs that have no torch."""

import argparse
from pathlib import Path

from engine.detector.detector import Detector
from engine.serving import Engine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("--format", choices=["onnx"], default="onnx", help="of the file (default %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="the file to write")


def run(engine: Engine, detector: Detector, arguments: argparse.Namespace) -> int:
    """Export, compare with torch, and write; the file appears only where both agree. Raises ExportError."""
    from engine.exports.onnx_file import TOLERANCE, export_onnx  # loads onnx, which no other command needs

    difference = export_onnx(engine, detector.prompts, arguments.out)
    side = engine.image_size
    print(
        f"Wrote {arguments.out}: image (B, 3, {side}, {side}) to score (B,) and map (B, {side}, {side}). The largest "
        f"difference from torch is {difference:.1e}; {TOLERANCE:.0e} is accepted. Its metadata say how to preprocess."
    )
    return 0
