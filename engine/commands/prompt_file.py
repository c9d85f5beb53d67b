"""`python -m engine prompts`: what a prompt file was made for, and bringing it into this project's format."""

import argparse
from pathlib import Path

from engine.detector.detector import Detector
from engine.errors import PromptError
from engine.files import write_whole
from engine.prompt_files import parse_prompts, prompts_to_bytes, read_prompts
from engine.prompts import Prompts
from engine.reference_checkpoint import likely_backbone
from engine.serving import Engine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument(
        "action", choices=["show", "import"], help="show: say what it is; import: also check it, and write it to --out"
    )
    parser.add_argument("file", type=Path, help="ours (.safetensors), or the reference's checkpoint (.pth)")
    parser.add_argument("--out", type=Path, help="file to import into (.safetensors)")


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
    print(describe(parse_prompts(data)))
    try:
        ours = read_prompts(data, engine.backbone)
    except PromptError as error:
        if arguments.action == "import":
            raise
        print(f"Here:       {error}")
        return 1
    if arguments.action == "import":
        write_whole(arguments.out, prompts_to_bytes(ours))
        print(f"Wrote {arguments.out}, for {engine.info.name}.")
    else:
        print(f"Here:       fits {engine.info.name} ({engine.info.fingerprint[:12]}), the backbone in use")
    return 0


def describe(prompts: Prompts) -> str:
    """Backbone, data, and sizes, a line each."""
    count, width = prompts.normal_context.shape
    rows, tokens, _ = prompts.deep_tokens.shape
    named = f"{prompts.backbone_name} ({prompts.backbone_fingerprint[:12]})"
    return "\n".join(
        (
            f"Made for:   {named if prompts.backbone_fingerprint else likely_backbone(prompts)}",
            f"Made from:  {prompts.note or 'not said'}",
            f"Word:       {prompts.state_word or 'none'}",
            f"Sizes:      {count} context vectors of width {width} for each side; "
            + (f"{tokens} learnable tokens before each of text blocks 2 … {rows + 1}" if rows else "no deep tokens"),
        )
    )
