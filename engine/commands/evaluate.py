"""`python -m engine evaluate`: methods and experiments on data sets, resumable, with the paper's figures beside."""

import argparse
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from engine.detector.detector import Detector
from engine.detector.prompts import Prompts
from engine.errors import EngineError
from engine.evaluation.baselines.trained import Auxiliary
from engine.evaluation.corrected import CorrectedEvaluation, Plan
from engine.evaluation.datasets.catalogue import CATALOGUE, describe_catalogue, find_data_set
from engine.evaluation.datasets.item import DatasetError
from engine.evaluation.evaluate import Bench, evaluate_class
from engine.evaluation.evaluated_sets import EvaluatedSet, pairs, read_all, read_set, to_tune_on, with_protocol
from engine.evaluation.experiments import EXPERIMENTS, METHODS, Made, Row, Setting, method_rows
from engine.evaluation.method import Method
from engine.evaluation.protocols import PROTOCOLS, ConceptMatching
from engine.evaluation.reporting.page import to_html
from engine.evaluation.reporting.parts import Parts, describe_files, raise_if_full, write_whole
from engine.evaluation.reporting.results import ClassResult
from engine.evaluation.reporting.tables import Outcome, to_json, to_markdown
from engine.learning.tuning_loop import TuningConfig
from engine.serving.engine import Engine

_BATCH_ON_GPU = 8


class _List(argparse.Action):
    def __call__(self, *_: object) -> None:
        print(describe_catalogue())
        sys.exit(0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    several: dict[str, Any] = {"nargs": "+", "metavar": "NAME"}
    parser.add_argument("--list", nargs=0, action=_List, help="show all data sets with layouts and licences, and stop")
    parser.add_argument(
        "--all",
        type=Path,
        metavar="DIR",
        help="in place of --dataset and --data: every data set in DIR, with all methods and all experiments, tuned on "
        "those of them that have masks and both kinds of images, unless other options say otherwise",
    )
    parser.add_argument("--dataset", choices=list(CATALOGUE), help="one for all --data, or one for each", **several)
    parser.add_argument("--data", nargs="+", type=Path, metavar="DIR", help="folders of the data sets")
    parser.add_argument(
        "--method",
        choices=[*METHODS, "detector", "all"],
        help="methods to compare (default anomalyclip; all: the paper's six; detector: what the product learns from "
        "corrections of the set itself, beside a linear probe and a memory of normal patches)",
        **several,
    )
    parser.add_argument(
        "--corrections",
        type=_numbers,
        default=Plan.counts,
        metavar="N,N,…",
        help="of --method detector: how many images are corrected (default 5,20,40)",
    )
    parser.add_argument(
        "--seeds",
        type=_numbers,
        default=Plan.seeds,
        metavar="N,N,…",
        help="of --method detector: of the order in which images are corrected (default 0)",
    )
    parser.add_argument("--experiment", choices=[*EXPERIMENTS, "all"], help="experiments of the paper", **several)
    parser.add_argument("--protocol", choices=PROTOCOLS, help="on folders of classes: what counts as anomalous")
    parser.add_argument("--unknown", type=Path, metavar="DIR", help="folder of unknown classes, for --protocol ood")
    parser.add_argument("--tune-dataset", default=[], choices=list(CATALOGUE), help="sets to tune on", **several)
    parser.add_argument("--tune-data", default=[], nargs="+", type=Path, metavar="DIR", help="their folders")
    parser.add_argument("--epochs", type=int, default=15, help="of each tuning (default %(default)s)")
    parser.add_argument("--learning-rate", type=float, default=1e-3, help="of Adam (default %(default)s)")
    parser.add_argument("--batch-size", type=int, default=8, help="images a step of tuning (default %(default)s)")
    parser.add_argument("--seed", type=int, default=111, help="of tuning (default %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("evaluation"), help="results (default ./%(default)s)")
    parser.add_argument("--cache", type=Path, help="folder of encoded features (default: OUT/features)")
    parser.add_argument("--cache-gb", type=float, default=32, help="how much it may hold (default %(default)s)")


def _numbers(text: str) -> tuple[int, ...]:
    """`5,20,40` → (5, 20, 40)."""
    try:
        return tuple(int(one) for one in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of numbers with commas between, as 5,20,40") from None


def run(engine: Engine, detector: Detector, arguments: argparse.Namespace) -> int:
    """Evaluate everything asked for and write results.json, results.md and report.html into OUT.

    Returns:
        0; 1 where images or masks could not be used, after all the others were.

    Raises:
        EngineError: a folder is of no known layout, there is nothing to tune on, or the disk is full.
    """
    if len(detector.parts) > 1:
        print(f"Of {arguments.prompts} the prompts alone are evaluated, as the paper does.", file=sys.stderr)
    _check(arguments)
    work = _Work(engine, detector.prompts, arguments)
    facts = {
        "backbone": engine.info.name,
        "fingerprint": engine.info.fingerprint,
        "image_size": engine.image_size,
        "reference": engine.reference,
        "seed": arguments.seed,
        "epochs": arguments.epochs,
    }
    if "detector" in (arguments.method or ()):
        facts |= {"corrections": list(arguments.corrections), "seeds": list(arguments.seeds)}
    try:
        outcomes = work.run()
    except OSError as error:
        raise_if_full(error)
        raise
    finally:
        shutil.rmtree(arguments.out / "scratch", ignore_errors=True)
    markdown = to_markdown(outcomes, facts)
    for name, text in (
        ("results.json", json.dumps(to_json(outcomes, facts), indent=1, sort_keys=True)),
        ("results.md", markdown),
        ("report.html", to_html(outcomes, facts)),
    ):
        write_whole(arguments.out / name, text.encode())
    print(markdown)
    problems = dict.fromkeys(problem for one in outcomes for problem in one.every_problem())
    print(f"Wrote {arguments.out}/results.json, results.md and report.html.")
    if problems:
        print(f"{len(problems)} problems, listed above; the first: {next(iter(problems))}", file=sys.stderr)
    return int(bool(problems))


def _check(given: argparse.Namespace) -> None:
    if "detector" not in (given.method or ()):
        return
    if given.reference:
        raise EngineError("The reference learns from no corrections: leave out --reference, or --method detector.")
    if min(given.corrections) < 1 or min(given.seeds) < 0:
        raise EngineError("--corrections takes numbers from 1, --seeds from 0, with commas between: 5,20,40 and 0,1,2.")


def _sets(given: argparse.Namespace) -> list[EvaluatedSet]:
    if given.all and (given.dataset or given.data):
        raise DatasetError("--all takes every data set of a folder: leave out --dataset and --data, or --all.")
    if given.all:
        return read_all(given.all)
    if not given.dataset or not given.data:
        raise DatasetError("Name what to evaluate by --dataset and --data, or a folder of data sets by --all.")
    return [read_set(*pair) for pair in pairs(given.dataset, given.data, "--dataset", "--data")]


class _Work:
    def __init__(self, engine: Engine, prompts: Prompts, arguments: argparse.Namespace) -> None:
        self.engine, self.prompts, self.arguments = engine, prompts, arguments
        self.sets = [self._with_protocol(one) for one in _sets(arguments)]
        self.bench = Bench(
            engine.image_size,
            decoder=engine.decoder.with_depth_of(image.image for one in self.sets for image in one.images),
            cache=arguments.cache or arguments.out / "features",
            cache_bytes=int(arguments.cache_gb * 2**30),
            scratch=arguments.out / "scratch",
            batch_size=1 if engine.backbone.device.type == "cpu" else _BATCH_ON_GPU,
            keep_small=not engine.reference,
        )
        self.tune_sets = [
            read_set(*pair)
            for pair in pairs(arguments.tune_dataset, arguments.tune_data, "--tune-dataset", "--tune-data")
        ] or (to_tune_on(self.sets) if arguments.all else [])
        shutil.rmtree(arguments.out / "scratch", ignore_errors=True)  # of a run that was killed
        (arguments.out / "scratch").mkdir(parents=True)
        self.auxiliaries: dict[tuple[str, ...], Auxiliary] = {}
        self.parts = Parts(arguments.out / "parts")

    def _with_protocol(self, one: EvaluatedSet) -> EvaluatedSet:
        given: argparse.Namespace = self.arguments
        if given.protocol is None:
            return one
        unknown = read_set(find_data_set("classes"), given.unknown) if given.unknown else None
        return with_protocol(one, given.protocol, seed=given.seed, unknown=unknown)

    def run(self) -> list[Outcome]:
        planned = [(one, row) for one in self.sets for row in self._rows(one)]
        total = sum(len(one.images) for one, _ in planned)
        outcomes = []
        with tqdm(total=total, desc="evaluating", unit="image") as bar:
            for one, (title, row) in planned:
                bar.set_postfix_str(f"{one.root.name}, {title}")
                results = list(self._results(one, row.build(), bar))
                outcomes.append(Outcome(one.data_set.name, one.root.resolve().name, title, results, one.problems))
        return outcomes + self._corrected()

    def _corrected(self) -> list[Outcome]:
        """Rows of `--method detector`."""
        given: argparse.Namespace = self.arguments
        if "detector" not in (given.method or ()):
            return []
        plan = Plan(tuple(given.corrections), tuple(given.seeds))
        say = partial(tqdm.write, file=sys.stderr)
        detector = self.engine.detector_of(self.prompts)
        evaluation = CorrectedEvaluation(self.engine, detector, self.bench, self.parts, plan, say)
        return [outcome for one in self.sets if not one.known for outcome in evaluation.outcomes(one)]

    def _results(self, one: EvaluatedSet, method: Method, bar: tqdm) -> Iterator[ClassResult]:
        for name, images in one.classes.items():
            key = "\n".join(
                (method.name, method.key, method.encoder.key, f"{self.bench.image_size} {one.has_masks}",
                 name, str(one.root.resolve()), describe_files(images))
            )  # fmt: skip
            result = self.parts.get(key)
            if result is None:
                result = evaluate_class(
                    method, images, self.bench, root=one.root, has_masks=one.has_masks, on_image=bar.update
                )
                self.parts.put(key, result)
            else:
                bar.update(len(images))
            yield result

    def _rows(self, one: EvaluatedSet) -> list[tuple[str, Row]]:
        if one.known:
            return [("mcm", Made("mcm", partial(ConceptMatching, self.engine, one.known)))]
        others = [other for other in self.tune_sets if other.root.resolve() != one.root.resolve()]
        setting = Setting(
            self.engine,
            self.prompts,
            [other.data_set.name for other in others],
            lambda names: self._auxiliary([other for other in others if other.data_set.name in names]),
            self.arguments.seed,
            self.arguments.prompts is not None,
        )
        given: argparse.Namespace = self.arguments
        if given.all and not given.experiment and not given.method:
            methods, experiments = ["all"], ["all"]
        else:
            experiments = given.experiment or []
            methods = given.method or ([] if experiments else ["anomalyclip"])
        names = METHODS if "all" in methods else [name for name in methods if name != "detector"]
        rows = [(row.name, row) for row in method_rows(setting, names)]
        for name in EXPERIMENTS if "all" in experiments else experiments:
            rows += [(f"{name}: {row.name}", row) for row in EXPERIMENTS[name](setting)]
        return rows

    def _auxiliary(self, sets: Sequence[EvaluatedSet]) -> Auxiliary:
        key = tuple(str(one.root) for one in sets)
        if key not in self.auxiliaries:
            self.auxiliaries = {key: self._make_auxiliary(sets)}  # one at a time: it keeps features on disk
        return self.auxiliaries[key]

    def _make_auxiliary(self, sets: Sequence[EvaluatedSet]) -> Auxiliary:
        given: argparse.Namespace = self.arguments
        config = TuningConfig(
            learning_rate=given.learning_rate,
            batch_size=given.batch_size,
            cast_float16=self.engine.reference,
            seed=given.seed,
        )
        images = [image for one in sets for image in one.images]
        return Auxiliary(images, config, given.epochs, given.out / "tuned", self.bench)
