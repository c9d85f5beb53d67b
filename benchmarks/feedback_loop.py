"""What corrections bring, measured through REST on what is served: `python -m benchmarks.feedback_loop`.

For each set and seed the product is started in an empty folder and all images are uploaded. Then 5, 10, 20 and 40 of
them, in a seeded order, are corrected with their true masks, with a run after each step; what is served is measured
on the images that are never corrected.

`--state-word` shows what corrections do where zero-shot fails: prompts with random contexts and a word that means
nothing to the backbone in place of "damaged" are imported and put in service before the first step.
"""

import argparse
import io
import json
import random
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import machine, markdown_table
from benchmarks.sample_data import Sample, read_samples
from benchmarks.served import Served
from engine.backbone import load_backbone
from engine.metrics import aupro, auroc, average_precision
from engine.prompt_files import prompts_to_bytes
from engine.prompts import random_prompts
from settings import get_settings

SETS = ("kolektor_sdd", "crack_forest", "kvasir_seg")
STEPS = (0, 5, 10, 20, 40)
# AUPRO needs maps of one size; AUROC and AP are taken at each image's own.
_PRO_SIDE = 256


@dataclass(frozen=True)
class Row:
    """What was served after so many corrections."""

    data: str
    seed: int
    corrected: int
    pixel_auroc: float
    pixel_ap: float
    pixel_aupro: float
    image_auroc: float
    version: int
    decision: str
    seconds: float


def main() -> None:
    """Measure, print the table, and write it as JSON where asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.feedback_loop", description=__doc__)
    parser.add_argument("--sets", nargs="+", default=list(SETS), help="folders of the sample data")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--state-word", help="start from random contexts and this word for damaged")
    parser.add_argument("--json", type=Path, help="where to write all rows")
    arguments = parser.parse_args()
    rows: list[Row] = []
    for data in arguments.sets:
        for seed in arguments.seeds:
            with tempfile.TemporaryDirectory() as folder, Served(Path(folder)) as served:
                if arguments.state_word:
                    served.put_in_service(meaningless_prompts(arguments.state_word, seed))
                rows += measure_set(served, data, seed)
            if arguments.json:
                arguments.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))
    print(f"\n{machine()}\n\n{table(rows)}")


def meaningless_prompts(state_word: str, seed: int) -> bytes:
    """A prompt file for the backbone in use, with random contexts and `state_word` where "damaged" was."""
    return prompts_to_bytes(random_prompts(load_backbone(get_settings().backbone), seed, state_word=state_word))


def measure_set(served: Served, data: str, seed: int) -> list[Row]:
    """One set and seed: upload, then correct, run and measure in steps."""
    samples = read_samples(data)
    random.Random(seed).shuffle(samples)
    entries = served.upload([sample.image for sample in samples])
    ids = [entry["id"] for entry in entries]
    served.wait_until_scored(ids)
    judged = list(zip(samples, ids, strict=True))[STEPS[-1] :]
    rows, before = [], 0
    for corrected in STEPS:
        for sample, image_id in list(zip(samples, ids, strict=True))[before:corrected]:
            correct(served, image_id, sample)
        before = corrected
        run = served.run(seed) if corrected else {}
        served.wait_until_scored(ids)
        rows.append(_row(served, data, seed, corrected, judged, run))
        print(_line(rows[-1]), flush=True)
    return rows


def correct(served: Served, image_id: int, sample: Sample) -> None:
    """Save the true mask, or mark the image as normal."""
    if sample.mask is None:
        answer = served.client.put(f"/images/{image_id}/annotation", json={"label": "normal"})
    else:
        answer = served.client.put(f"/images/{image_id}/annotation", files={"mask": sample.mask.read_bytes()})
    answer.raise_for_status()


def _row(
    served: Served, data: str, seed: int, corrected: int, judged: Sequence[tuple[Sample, int]], run: dict[str, Any]
) -> Row:
    maps, masks, scores = [], [], []
    version = 0
    for sample, image_id in judged:
        seen = served.image(image_id)
        version = seen["prompt_version"]
        scores.append(seen["score"])
        data_npy = served.client.get(f"/images/{image_id}/map", params={"format": "npy"}).raise_for_status().content
        maps.append(np.load(io.BytesIO(data_npy)))
        masks.append(sample.truth(*maps[-1].shape))
    labels = np.array([sample.label for sample, _ in judged])
    flat_masks = np.concatenate([mask.ravel() for mask in masks])
    flat_maps = np.concatenate([one.ravel() for one in maps])
    return Row(
        data,
        seed,
        corrected,
        auroc(flat_masks, flat_maps),
        average_precision(flat_masks, flat_maps),
        aupro(np.stack([_square(m) for m in masks]) > 0.5, np.stack([_square(m) for m in maps])),
        auroc(labels, np.array(scores)),
        version,
        run.get("decision") or run.get("error", ""),
        _seconds(run),
    )


def _square(values: np.ndarray) -> np.ndarray:
    """Nearest-neighbour to a square, so that thin regions stay."""
    rows = np.arange(_PRO_SIDE) * values.shape[0] // _PRO_SIDE
    columns = np.arange(_PRO_SIDE) * values.shape[1] // _PRO_SIDE
    return values[np.ix_(rows, columns)]


def _seconds(run: dict[str, Any]) -> float:
    if not run:
        return 0.0
    started, ended = (np.datetime64(run[name].rstrip("Z").split("+")[0]) for name in ("started_at", "finished_at"))
    return float((ended - started) / np.timedelta64(1, "s"))


def _line(row: Row) -> str:
    return (
        f"{row.data} seed {row.seed}, {row.corrected} corrected: pixel AUROC {row.pixel_auroc:.3f}, "
        f"AP {row.pixel_ap:.3f}, AUPRO {row.pixel_aupro:.3f}, image AUROC {row.image_auroc:.3f}, "
        f"v{row.version}, {row.seconds:.0f} s. {row.decision}"
    )


def table(rows: Sequence[Row]) -> str:
    """Mean over seeds, and the worst change of pixel AUROC against no corrections in any seed."""
    lines = []
    for data in dict.fromkeys(row.data for row in rows):
        start = {row.seed: row.pixel_auroc for row in rows if row.data == data and row.corrected == 0}
        for corrected in STEPS:
            chosen = [row for row in rows if row.data == data and row.corrected == corrected]
            if not chosen:
                continue
            means = [
                float(np.mean([getattr(row, name) for row in chosen]))
                for name in ("pixel_auroc", "pixel_ap", "pixel_aupro", "image_auroc", "seconds")
            ]
            worst = min(row.pixel_auroc - start[row.seed] for row in chosen)
            promoted = sum(row.decision.startswith("Put in service") for row in chosen)
            put = f"{promoted} of {len(chosen)}" if corrected else "–"
            lines.append([data, corrected, *means[:4], worst, put, f"{means[4]:.0f}"])
    head = [
        "set",
        "corrected",
        "pixel AUROC",
        "pixel AP",
        "AUPRO",
        "image AUROC",
        "worst change",
        "put in service",
        "s a run",
    ]
    return markdown_table(head, lines)


if __name__ == "__main__":
    main()
