"""`python -m engine prompts`: what a detector's or prompts' file was made for, and bringing it into our format."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from engine.detector.detector import Detector
from engine.detector.files import detector_to_bytes, parts_within, prompts_within
from engine.detector.prompt_files import parse_prompts
from engine.detector.prompts import Prompts
from engine.detector.reference_checkpoint import likely_backbone
from engine.errors import PromptError
from engine.files.whole import write_whole
from engine.serving.engine import Engine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument(
        "action", choices=["show", "import"], help="show: say what it is; import: also check it, and write it to --out"
    )
    parser.add_argument("file", type=Path, help="ours (.safetensors), or the reference's checkpoint (.pth)")
    parser.add_argument("--out", type=Path, help="file to import into (.safetensors)")
    parser.add_argument(
        "--prompts-only", action="store_true", help="import the prompts alone, without what was learnt besides"
    )


_CLASS_TOKENS = {
    "straight": "token straight to the joint space, as the reference takes it",
    "normed": "token after ln_post, as CLIP was trained",
}


def run(engine: Engine, _: Detector, arguments: argparse.Namespace) -> int:
    """Print what the file is; import it where that was asked for and it fits the backbone.

    Returns:
        0; 1 where `show` finds that the file doesn't fit the backbone in use.

    Raises:
        PromptError: the file can't be read; for `import` also, that it doesn't fit.
    """
    if arguments.action == "import" and arguments.out is None:
        raise PromptError("prompts import writes a file: name it by --out.")
    data = arguments.file.read_bytes()
    print(describe(parse_prompts(prompts_within(data)), parts_within(data)))
    try:
        detector = engine.load_detector(data)
    except PromptError as error:
        if arguments.action == "import":
            raise
        print(f"Here:       {error}")
        return 1
    if arguments.action == "import":
        write_whole(arguments.out, detector_to_bytes(detector.prompts_alone() if arguments.prompts_only else detector))
        print(f"Wrote {arguments.out}, for {engine.info.name}.")
    else:
        print(f"Here:       fits {engine.info.name} ({engine.info.fingerprint[:12]}), the backbone in use")
    return 0


def describe(prompts: Prompts, parts: Sequence[str]) -> str:
    """Backbone, data, sizes, and what was learnt besides prompts, a line each."""
    count, width = prompts.normal_context.shape
    rows, tokens, _ = prompts.deep_tokens.shape
    named = f"{prompts.backbone_name} ({prompts.backbone_fingerprint[:12]})"
    return "\n".join(
        (
            f"Made for:   {named if prompts.backbone_fingerprint else likely_backbone(prompts)}",
            f"Made from:  {prompts.note or 'not said'}",
            f"Word:       {prompts.state_word or 'none'}",
            f"Class:      {_CLASS_TOKENS[prompts.class_token]}",
            f"Sizes:      {count} context vectors of width {width} for each side; "
            + (f"{tokens} learnable tokens before each of text blocks 2 … {rows + 1}" if rows else "no deep tokens"),
            f"Parts:      {', '.join(parts)}",
        )
    )
