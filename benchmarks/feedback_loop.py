"""What corrections bring, measured through REST on what is served: `python -m benchmarks.feedback_loop`.

For each set and seed the product is started in an empty folder and all images are uploaded. Then 5, 10, 20 and 40 of
them, in a seeded order, are corrected with their true masks, with a run after each step; what is served is measured
on the images that are never corrected, beside what zero-shot says of them. An anomalous image without a mask is called
anomalous, and nobody says where; a set without masks has no figures of pixels. Sets are folders of SAMPLE_DATA_DIR.

What each run claims for its candidate out of fold is held against what it brings on those images: `--plot` draws it.

`--state-word` shows what corrections do where zero-shot fails: prompts with random contexts and a word that means
nothing to the backbone in place of "damaged" are imported and put in service before the first step.
"""

import argparse
import io
import json
import random
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.feedback_tables import GUARDED, Row, claims_plot, claims_table, never_worse, served_table, to_json
from benchmarks.machine import machine
from benchmarks.sample_data import Sample, read_samples
from benchmarks.served import Served
from engine.backbone.loading import load_backbone
from engine.detector.prompt_files import prompts_to_bytes
from engine.detector.prompts import random_prompts
from engine.evaluation.metrics.of_arrays import aupro, auroc, average_precision
from settings import get_settings

SETS = ("kolektor_sdd", "crack_forest", "kvasir_seg", "head_ct")
STEPS = (0, 5, 10, 20, 40)
# At least so large a share of a set's images is never corrected: of a small set fewer are.
_JUDGED = 1 / 3
# AUPRO needs maps of one size; AUROC and AP are taken at each image's own.
_PRO_SIDE = 256


def main() -> None:
    """Measure, print the tables, and write rows and picture where asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.feedback_loop", description=__doc__)
    parser.add_argument("--sets", nargs="+", default=list(SETS), help="folders of the sample data")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--state-word", help="start from random contexts and this word for damaged")
    parser.add_argument("--json", type=Path, help="where to write all rows")
    parser.add_argument("--plot", type=Path, help="where to draw claimed gains against true ones; .svg")
    arguments = parser.parse_args()
    rows: list[Row] = []
    for data in arguments.sets:
        for seed in arguments.seeds:
            with tempfile.TemporaryDirectory() as folder, Served(Path(folder)) as served:
                if arguments.state_word:
                    served.put_in_service(meaningless_prompts(arguments.state_word, seed))
                rows += measure_set(served, data, seed)
            if arguments.json:
                arguments.json.write_text(json.dumps(to_json(rows), indent=1))
    print(f"\n{machine()}\n\n{served_table(rows)}\n\n{never_worse(rows)}\n\n{claims_table(rows)}")
    if arguments.plot:
        arguments.plot.write_text(claims_plot(rows))


def meaningless_prompts(state_word: str, seed: int) -> bytes:
    """A prompt file for the backbone in use, with random contexts and `state_word` where "damaged" was."""
    return prompts_to_bytes(random_prompts(load_backbone(get_settings().backbone), seed, state_word=state_word))


def measure_set(served: Served, data: str, seed: int) -> list[Row]:
    """One set and seed: upload, then correct, run and measure in steps."""
    samples = read_samples(data)
    random.Random(seed).shuffle(samples)
    served.stop_schedule()  # runs start here, and nowhere else
    entries = served.upload([sample.image for sample in samples])
    ids = [entry["id"] for entry in entries]
    served.wait_until_scored(ids)
    steps = [step for step in STEPS if step <= (1 - _JUDGED) * len(samples)]
    images = list(zip(samples, ids, strict=True))
    rows: list[Row] = []
    for before, corrected in zip([0, *steps], steps, strict=False):
        for sample, image_id in images[before:corrected]:
            correct(served, image_id, sample)
        run = served.run(seed) if corrected else {}
        served.wait_until_scored(ids)
        found = Row(data, seed, corrected, *measured(served, images[steps[-1] :]))
        rows.append(_with_run(found, run, rows))
        print(rows[-1].line(), flush=True)
    return rows


def correct(served: Served, image_id: int, sample: Sample) -> None:
    """Save the true mask, or the label alone where there is no mask."""
    url = f"/images/{image_id}/annotation"
    if sample.mask is None:
        label = "anomalous" if sample.label else "normal"
        answer = served.client.put(url, json={"label": label})
    else:
        answer = served.client.put(url, files={"mask": sample.mask.read_bytes()})
    answer.raise_for_status()


def measured(served: Served, judged: Sequence[tuple[Sample, int]]) -> tuple[float, float, float, float, int]:
    """Pixel AUROC, AP and AUPRO, image AUROC, and the version that is served."""
    seen = [served.image(image_id) for _, image_id in judged]
    labels, scores = np.array([sample.label for sample, _ in judged]), np.array([one["score"] for one in seen])
    return *_of_pixels(served, judged), auroc(labels, scores), seen[0]["prompt_version"]


def _of_pixels(served: Served, judged: Sequence[tuple[Sample, int]]) -> tuple[float, float, float]:
    """NaN where no mask marks anything; anomalous images without a mask are left out: nobody knows where they are."""
    known = [(sample, image_id) for sample, image_id in judged if sample.mask is not None or not sample.label]
    if not any(sample.mask for sample, _ in known):
        return (float("nan"),) * 3
    maps = [_map(served, image_id) for _, image_id in known]
    masks = [sample.truth(*found.shape) for (sample, _), found in zip(known, maps, strict=True)]
    flat_masks = np.concatenate([mask.ravel() for mask in masks])
    if not flat_masks.any():
        return (float("nan"),) * 3
    flat_maps = np.concatenate([one.ravel() for one in maps])
    squares = (np.stack([_square(one) for one in some]) for some in (masks, maps))
    return auroc(flat_masks, flat_maps), average_precision(flat_masks, flat_maps), aupro(*squares)


def _map(served: Served, image_id: int) -> np.ndarray:
    answer = served.client.get(f"/images/{image_id}/map", params={"format": "npy"}).raise_for_status()
    return np.load(io.BytesIO(answer.content))


def _with_run(row: Row, run: dict[str, Any], earlier: Sequence[Row]) -> Row:
    """The row with what its run said, and with what was there before."""
    zero_shot = {name: getattr((earlier or [row])[0], name) for name in GUARDED}
    if not run:
        return replace(row, zero_shot=zero_shot)
    difference = run["metrics"].get("difference") or {}
    promoted = row.version != earlier[-1].version
    return replace(
        row,
        promoted=promoted,
        decision=run.get("decision") or run.get("error", ""),
        seconds=_seconds(run),
        zero_shot=zero_shot,
        claimed={name: difference[name] for name in GUARDED if difference.get(name) is not None},
        true={name: getattr(row, name) - getattr(earlier[-1], name) for name in GUARDED} if promoted else {},
    )


def _square(values: np.ndarray) -> np.ndarray:
    """Nearest-neighbour to a square, so that thin regions stay."""
    rows = np.arange(_PRO_SIDE) * values.shape[0] // _PRO_SIDE
    columns = np.arange(_PRO_SIDE) * values.shape[1] // _PRO_SIDE
    return values[np.ix_(rows, columns)]


def _seconds(run: dict[str, Any]) -> float:
    started, ended = (np.datetime64(run[name].rstrip("Z").split("+")[0]) for name in ("started_at", "finished_at"))
    return float((ended - started) / np.timedelta64(1, "s"))


if __name__ == "__main__":
    main()
