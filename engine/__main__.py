"""The command line: `python -m engine score`, `tune`, `evaluate`, `export` and `prompts`."""

import argparse
import io
import sys
from pathlib import Path

from engine.backbone import load_backbone
from engine.commands import evaluate, export, prompt_file, score, tune
from engine.errors import EngineError
from engine.images import Decoder
from engine.prompt_files import shipped_prompts
from engine.serving import Engine
from settings import BadSettings, misspelt, read_settings

COMMANDS = {"score": score, "tune": tune, "evaluate": evaluate, "export": export, "prompts": prompt_file}


def main() -> int:
    """Parse, load the backbone, run the command; errors are one line on stderr and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names that a pipe's encoding has no letters for are escaped
            stream.reconfigure(errors="backslashreplace")
    try:
        parser = _parser()
    except BadSettings as error:
        print(error, file=sys.stderr)
        return 2
    for sentence in misspelt():
        print(sentence, file=sys.stderr)
    arguments = parser.parse_args()
    try:
        exact = arguments.reference or COMMANDS[arguments.command] is export  # neither is to depend on the machine
        precision = "fp32" if exact and arguments.precision == "auto" else arguments.precision
        device = "cpu" if COMMANDS[arguments.command] is export else arguments.device
        backbone = load_backbone(arguments.backbone, device, precision)
        engine = Engine(
            backbone,
            image_size=arguments.image_size,
            squashed=COMMANDS[arguments.command] is evaluate,  # the paper's methods see squares
            reference=arguments.reference,
            decoder=_decoder(),
        )
        detector = (
            engine.load_detector(arguments.prompts.read_bytes())
            if arguments.prompts
            else engine.detector_of(shipped_prompts(backbone))
        )
        return COMMANDS[arguments.command].run(engine, detector, arguments)
    except BrokenPipeError:
        return 1  # whoever read what was printed has gone away, and nothing else was asked for
    except (EngineError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped; nothing half-written is left.", file=sys.stderr)
        return 130


def _decoder() -> Decoder:
    settings = read_settings()
    return Decoder(settings.max_pixels, round(settings.max_upload_mb * 1e6))


def _parser() -> argparse.ArgumentParser:
    settings = read_settings()
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--backbone", default=settings.backbone, help="as ANOMALYLOOP_BACKBONE (default %(default)s)")
    common.add_argument("--device", default=settings.device, help="auto, cpu, cuda, mps (default %(default)s)")
    common.add_argument(
        "--precision",
        default=settings.precision,
        help="of the vision tower: auto, fp32, bf16, fp16 (default %(default)s)",
    )
    common.add_argument(
        "--image-size", type=int, default=settings.image_size, help="side in px; 0: the backbone's own (default)"
    )
    common.add_argument(
        "--prompts",
        "--detector",
        type=Path,
        help="a detector's or prompts' file, or the reference's .pth (default: the shipped)",
    )
    common.add_argument(
        "--reference",
        action="store_true",
        help="all choices of the reference implementation: float32 features, learnable tokens rounded to float16, "
        "maps summed over layers, tuning from random vectors without a pull",
    )
    parser = argparse.ArgumentParser(prog="python -m engine", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, module in COMMANDS.items():
        module.add_arguments(commands.add_parser(name, parents=[common], help=module.__doc__))
    return parser


if __name__ == "__main__":
    sys.exit(main())
