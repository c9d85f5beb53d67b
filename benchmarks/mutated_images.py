"""Damaged images of every format that Pillow writes: none may crash the decoder, hang it, or cost memory for good.

`python -m benchmarks.mutated_images --count 2000` prints a line for each format and ends with 1 where one did. The work
is done in a child process, so that a crash of a C library is seen and named.
"""

import argparse
import contextlib
import faulthandler
import io
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, features

from benchmarks.fuzzed.damage import damaged
from engine.errors import ImageError
from engine.images.decoding import decode_image
from engine.images.mask_files import decode_mask
from engine.images.showing import thumbnail

LONGEST_SECONDS = 5.0
# Growth of the child's memory over the second half of all images that counts as a leak, in MB.
LEAK_MB = 64.0
_SIDE = 96
# Format and options of the images that are damaged; those that this build of Pillow can't write are left out.
_WRITTEN: list[tuple[str, str, dict[str, Any]]] = [
    ("PNG", "RGB", {}),
    ("PNG", "I;16", {}),
    ("PNG", "P", {}),
    ("JPEG", "RGB", {}),
    ("JPEG", "L", {"progressive": True}),
    ("JPEG", "CMYK", {}),
    ("TIFF", "RGB", {}),
    ("TIFF", "I;16", {"compression": "tiff_deflate"}),
    ("TIFF", "F", {}),
    ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    ("TIFF", "1", {"compression": "group4"}),
    ("TIFF", "RGB", {"compression": "jpeg"}),
    ("BMP", "RGB", {}),
    ("GIF", "P", {}),
    ("WEBP", "RGBA", {}),
    ("WEBP", "RGB", {"lossless": True}),
    ("JPEG2000", "RGB", {}),
    ("AVIF", "RGB", {}),
    ("PPM", "RGB", {}),
    ("TGA", "RGB", {"compression": "tga_rle"}),
    ("ICO", "RGBA", {}),
    ("ICNS", "RGBA", {}),
    ("PCX", "P", {}),
    ("SGI", "RGB", {}),
    ("DDS", "RGBA", {}),
    ("MPO", "RGB", {}),
    ("SPIDER", "F", {}),
    ("IM", "RGB", {}),
    ("MSP", "1", {}),
    ("XBM", "1", {}),
    ("QOI", "RGB", {}),
]


@dataclass
class Outcome:
    """What became of the images of one format."""

    images: int = 0
    read: int = 0
    refused: int = 0
    slowest: float = 0.0
    faults: list[str] = field(default_factory=list)


def written_images() -> Iterator[tuple[str, bytes]]:
    """A small picture in each format: its name and the file."""
    rng = random.Random(0)
    noise = Image.frombytes("RGB", (_SIDE, _SIDE), rng.randbytes(_SIDE * _SIDE * 3))
    for kind, mode, options in _WRITTEN:
        picture = noise.convert("L").convert(mode) if mode in ("I;16", "F") else noise.convert(mode)
        buffer = io.BytesIO()
        try:
            picture.save(buffer, kind, **options)
        except (OSError, KeyError):  # Pillow was built without it
            continue
        yield f"{kind} {mode} {' '.join(map(str, options.values()))}".strip(), buffer.getvalue()


def attempt(data: bytes) -> bool:
    """Do what the product does with a mask and an upload; True when that could be read. Raises what it must not."""
    with contextlib.suppress(ImageError):
        decode_mask(data, width=_SIDE, height=_SIDE)
    try:
        thumbnail(decode_image(data))
    except ImageError:
        return False
    return True


def run(count: int, seed: int) -> dict[str, Any]:
    """Damage and read so many images; the outcomes by format, and how the memory grew over the second half, in MB."""
    rng, files = random.Random(seed), list(written_images())
    outcomes = {name: Outcome() for name, _ in files}
    halfway = 0.0
    for number in range(count):
        name, data = files[number % len(files)]
        broken, outcome = damaged(data, rng.choice(files)[1], rng), outcomes[name]
        faulthandler.dump_traceback_later(4 * LONGEST_SECONDS, exit=True)  # a hang ends the child, and says where
        began = time.perf_counter()
        try:
            readable = attempt(broken)
        except Exception as error:
            outcome.faults.append(f"{type(error).__name__}: {error}")
            readable = False
        seconds = time.perf_counter() - began
        if seconds > LONGEST_SECONDS:
            outcome.faults.append(f"took {seconds:.1f} s")
        outcome.images += 1
        outcome.read += readable
        outcome.refused += not readable
        outcome.slowest = max(outcome.slowest, seconds)
        if number == count // 2:
            halfway = memory_mb()
    faulthandler.cancel_dump_traceback_later()
    return {"formats": {name: vars(one) for name, one in outcomes.items()}, "grown_mb": memory_mb() - halfway}


def memory_mb() -> float:
    """The memory of this process, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def in_child(count: int, seed: int) -> dict[str, Any]:
    """`run` in a process of its own.

    Raises:
        RuntimeError: it crashed or hung; the message is what it said.
    """
    command = [sys.executable, "-X", "faulthandler", "-m", "benchmarks.mutated_images", "--child"]
    ended = subprocess.run(
        [*command, "--count", str(count), "--seed", str(seed)], capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise RuntimeError(f"The decoder crashed or hung (status {ended.returncode}).\n{ended.stderr}")
    answer: dict[str, Any] = json.loads(ended.stdout)
    return answer


def main() -> int:
    """Parse, run and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutated_images", description=__doc__)
    parser.add_argument("--count", type=int, default=2000, help="images (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other damage (default %(default)s)")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        json.dump(run(arguments.count, arguments.seed), sys.stdout)
        return 0
    result = in_child(arguments.count, arguments.seed)
    print(f"Pillow {features.version('pil')}, seed {arguments.seed}\n")
    print("| format | images | read all the same | refused | slowest, ms | faults |\n|---|---|---|---|---|---|")
    faults = []
    for name, one in result["formats"].items():
        faults += [f"{name}: {fault}" for fault in one["faults"]]
        figures = (one["images"], one["read"], one["refused"], f"{1000 * one['slowest']:.0f}", len(one["faults"]))
        print(f"| {name} | {' | '.join(map(str, figures))} |")
    leaks = result["grown_mb"] > LEAK_MB
    print(f"\nMemory grew by {result['grown_mb']:.1f} MB over the second half.", *faults, sep="\n")
    return 1 if faults or leaks else 0


if __name__ == "__main__":
    sys.exit(main())
