"""The command line: `python -m engine score`, `fit`, `evaluate`, `export` and `prompts`.

It reads no settings: what it isn't told by options is as `Detector.load` has it. `anomalyloop` hands the settings on.
"""

import argparse
import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from engine.backbone.loading import load_backbone
from engine.commands import evaluate, export, fit, prompt_file, score
from engine.detector.prompt_files import shipped_prompts
from engine.errors import EngineError
from engine.images.decoding import Decoder
from engine.serving.engine import Engine

COMMANDS = {"score": score, "fit": fit, "evaluate": evaluate, "export": export, "prompts": prompt_file}

_DESCRIPTION = "Score images, learn from them, evaluate methods and export models, without a server."


def main(
    words: Sequence[str] | None = None,
    *,
    program: str = "python -m engine",
    defaults: Mapping[str, object] | None = None,
) -> int:
    """Parse, load the backbone, run the command; errors are one line on stderr and exit code 2.

    Args:
        words: of the command line; None: those of this process.
        program: what `--help` calls it.
        defaults: of `backbone`, `device`, `precision` and `image_size`, where they are others than shown in `_parser`.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names that a pipe's encoding has no letters for are escaped
            stream.reconfigure(errors="backslashreplace")
    arguments = _parser(program, defaults or {}).parse_args(words)
    try:
        exact = arguments.reference or arguments.module is export  # neither is to depend on the machine
        precision = "fp32" if exact and arguments.precision == "auto" else arguments.precision
        device = "cpu" if arguments.module is export else arguments.device
        backbone = load_backbone(arguments.backbone, device, precision)
        engine = Engine(
            backbone,
            image_size=arguments.image_size,
            squashed=arguments.module is evaluate,  # the paper's methods see squares
            reference=arguments.reference,
            decoder=Decoder(arguments.max_pixels, round(arguments.max_upload_mb * 1e6)),
        )
        detector = (
            engine.load_detector(arguments.prompts.read_bytes())
            if arguments.prompts
            else engine.detector_of(shipped_prompts(backbone))
        )
        return arguments.module.run(engine, detector, arguments)
    except BrokenPipeError:
        return 1  # whoever read what was printed has gone away, and nothing else was asked for
    except (EngineError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped; nothing half-written is left.", file=sys.stderr)
        return 130


def _parser(program: str, defaults: Mapping[str, object]) -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--backbone",
        default="embedded",
        help="embedded, an open_clip model/tag, or model@file with a local weights file (default %(default)s)",
    )
    common.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 (default %(default)s)")
    common.add_argument(
        "--precision", default="auto", help="of the vision tower: auto, fp32, bf16, fp16 (default %(default)s)"
    )
    common.add_argument(
        "--image-size", type=int, default=0, help="side in px; 0: the backbone's own (default %(default)s)"
    )
    common.add_argument(
        "--max-pixels",
        type=int,
        default=Decoder.max_pixels,
        help="largest width × height of an image (default %(default)s; anomalyloop: ANOMALYLOOP_MAX_PIXELS)",
    )
    common.add_argument(
        "--max-upload-mb",
        type=float,
        default=Decoder.max_bytes / 1e6,
        help="largest file, in MB (default %(default).0f; anomalyloop: ANOMALYLOOP_MAX_UPLOAD_MB)",
    )
    common.set_defaults(**defaults)
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
    parser = argparse.ArgumentParser(prog=program, description=_DESCRIPTION)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, module in COMMANDS.items():
        aliases = ["tune"] if module is fit else []  # as it was called, in scripts
        command = commands.add_parser(name, aliases=aliases, parents=[common], help=module.__doc__)
        command.set_defaults(module=module)
        module.add_arguments(command)
    return parser


if __name__ == "__main__":
    sys.exit(main())
