"""Images, masks, zips, COCO and tables, damaged: none may crash, hang, or give a wrong mask in silence.

`python -m benchmarks.fuzz --files 100000` prints a line for each kind, and ends with 1 where anything was found; the
files that did it are written to --corpus, and go to `tests/fuzz_corpus` with their mending. hypothesis drives it: it
draws a file of a kind, a way to write it, and a damage. With --progress it notes what it has after each 2,000 files,
and the same command goes on from there; a file that ends the process itself is left in --corpus, as `under-way-…`.

A wrong mask is one that is taken and whose area differs by more than 1 % from the true one, although the file's pixels
are those of the mask: the damage then is in what is not pixels, such as names, metadata, padding, or nothing at all.
Damaged pixels decode to other pixels, and of those nothing is known but that they must not crash.
"""

import argparse
import faulthandler
import json
import os
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.database import InMemoryExampleDatabase

from benchmarks.fuzzed.kinds import KINDS, Case, cases

# Of the processor, for a file: on a machine that is busy otherwise, more goes by on the clock.
LONGEST_SECONDS = 5.0
# By the clock: a file that takes so long ends the process.
_HANGS_SECONDS = 120.0
_BATCH = 2000
_LISTED = 20


@dataclass
class Findings:
    """What became of the files, by kind; from how many batches, of which seed, in how many seconds."""

    seed: int = 0
    batches: int = 0
    seconds: float = 0.0
    files: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    slowest: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    faults: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def look(case: Case, findings: Findings, corpus: Path | None) -> None:
    """Do with a file what the product does, and note what it must not do."""
    under_way = corpus / f"under-way-{case.kind}.bin" if corpus else None
    if under_way:
        under_way.write_bytes(case.data)
    faulthandler.dump_traceback_later(_HANGS_SECONDS, exit=True)  # and says where
    began, fault, taken = time.process_time(), "", False
    try:
        fault, taken = KINDS[case.kind](case)
    except Exception as error:
        fault = f"{type(error).__name__}: {error}"
    seconds = time.process_time() - began
    if seconds > LONGEST_SECONDS:
        fault = fault or f"it took {seconds:.1f} s"
    findings.files[case.kind] += 1
    findings.taken[case.kind] += taken
    findings.slowest[case.kind] = max(findings.slowest[case.kind], seconds)
    if under_way:
        under_way.unlink()
    if fault:
        findings.faults[case.kind].append(fault)
        if corpus:
            (corpus / f"{case.kind}-{len(findings.faults[case.kind])}.bin").write_bytes(case.data)


def fuzz(count: int, seed: int, corpus: Path | None = None, progress: Path | None = None) -> Findings:
    """Look at so many files; another seed, other files.

    Args:
        count: how many files, in batches of 2,000.
        seed: of what is drawn.
        corpus: folder for the files that something is found with.
        progress: file that holds the findings after each batch; batches that it has of this seed are not run again.
    """
    if corpus:
        corpus.mkdir(parents=True, exist_ok=True)
    findings = _noted(progress, seed)
    for number, start in list(enumerate(range(0, count, _BATCH)))[findings.batches :]:
        began = time.perf_counter()

        @seeded(seed * 1_000_003 + number)
        @settings(
            max_examples=min(_BATCH, count - start),
            deadline=None,
            database=InMemoryExampleDatabase(),
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(cases())
        def batch(case: Case) -> None:
            look(case, findings, corpus)

        batch()
        findings.batches, findings.seconds = number + 1, findings.seconds + time.perf_counter() - began
        _note(progress, findings)
    faulthandler.cancel_dump_traceback_later()
    return findings


def _note(progress: Path | None, findings: Findings) -> None:
    if progress:
        new = progress.with_name(f".{progress.name}")
        new.write_text(json.dumps(vars(findings)))
        os.replace(new, progress)


def _noted(progress: Path | None, seed: int) -> Findings:
    """What the file has of this seed; nothing where there is no such file, or it is of another seed."""
    noted = json.loads(progress.read_text()) if progress and progress.is_file() else {}
    if noted.get("seed") != seed:
        return Findings(seed)
    return Findings(
        seed,
        noted["batches"],
        noted["seconds"],
        Counter(noted["files"]),
        Counter(noted["taken"]),
        defaultdict(float, noted["slowest"]),
        defaultdict(list, noted["faults"]),
    )


def main() -> int:
    """Parse, run and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--files", type=int, default=2000, help="how many (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other files (default %(default)s)")
    parser.add_argument("--corpus", type=Path, help="folder for the files that something was found with")
    parser.add_argument("--progress", type=Path, help="file of the findings so far, from which the command goes on")
    arguments = parser.parse_args()
    findings = fuzz(arguments.files, arguments.seed, arguments.corpus, arguments.progress)
    print("| kind | files | taken | refused in words | slowest, ms | crashes, hangs, wrong masks |")
    print("| --- | --- | --- | --- | --- | --- |")
    for kind in KINDS:
        files, taken, faults = findings.files[kind], findings.taken[kind], len(findings.faults[kind])
        slowest = 1000 * findings.slowest[kind]
        print(f"| {kind} | {files:,} | {taken:,} | {files - taken - faults:,} | {slowest:.0f} | {faults} |")
    print(f"\n{sum(findings.files.values()):,} files in {findings.seconds:.0f} s, seed {arguments.seed}.")
    found = [f"{kind}: {fault}" for kind, faults in findings.faults.items() for fault in faults]
    print(*found[:_LISTED], sep="\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
