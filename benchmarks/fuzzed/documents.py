"""COCO documents of a known mask, in the ways in which tools write them and with entries that are wrong; and tables."""

from random import Random
from typing import Any

import numpy as np

from benchmarks.fuzzed.masks import Truth
from workers.exchange.rle import encode_rle

_ODD: tuple[Any, ...] = (None, "", "x", -1, 0, 1e400, 1e30, True, [], {}, [[]], [None], {"size": 3}, "1", 2**70)


def document_of(truth: Truth, rng: Random) -> dict[str, Any]:
    """A document with one image whose annotation is this mask, as RLE in one of its forms."""
    height, width = truth.shape
    rows, columns = np.nonzero(truth)
    text = encode_rle(rows, columns, height=height, width=width)
    flat = truth.ravel(order="F").astype(np.int8)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flat, [1 - flat[-1]]])))
    counts = [int(one) for one in np.diff(np.concatenate([[0], edges]))]
    numbers: list[Any] = [float(one) for one in counts] if rng.random() < 0.3 else list(counts)
    rle = rng.choice((text, {"size": [height, width], "counts": numbers}, {"counts": numbers}))
    given: Any = rng.choice((1, "1", 1.0))
    sides = rng.choice(((width, height), (str(width), str(height)), (0, 0), (None, None)))
    return {
        "images": [{"id": 1, "file_name": rng.choice(("0.png", "a/0.png", "1A2B3C4D-0.png")), "width": sides[0],
                    "height": sides[1]}],
        "annotations": [{"id": 1, "image_id": given, "segmentation": rle}],
        "categories": [],
    }  # fmt: skip


def changed_document(document: dict[str, Any], rng: Random) -> tuple[dict[str, Any], bool]:
    """The same with entries beside it that are wrong; or with it wrong itself. And whether its mask is whole."""
    for _ in range(rng.randrange(3)):
        document["annotations"].insert(
            rng.randrange(len(document["annotations"]) + 1), {"id": 9, "image_id": rng.choice((99, None, "x", [1]))}
        )
    if rng.random() < 0.3:
        document["annotations"].append({"id": 8, "image_id": 1, "segmentation": None, "bbox": [1, 1, 5, 5]})
    if rng.random() < 0.5:
        return document, True
    entry = rng.choice((document["images"], document["annotations"]))
    position = rng.randrange(len(entry))
    if isinstance(entry[position], dict) and rng.random() < 0.8:
        entry[position][rng.choice(("id", "image_id", "file_name", "width", "segmentation", "bbox"))] = rng.choice(_ODD)
    else:
        entry[position] = rng.choice(_ODD)
    return document, False


def garbled_table(rng: Random) -> bytes:
    """A table in some encoding, with some bytes changed."""
    text = "image,label,mask\n" + "".join(f"{rng.choice(('균열', 'a', '傷', 'ü'))}{k}.png,{k % 2},\n" for k in range(5))
    data = bytearray(text.encode(rng.choice(("utf-8", "cp949", "utf-16", "utf-8-sig", "gb18030")), errors="replace"))
    for _ in range(rng.randrange(4)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)
