"""One fault, again and again at random moments, while people work; and the count of what they were promised."""

import random
import time
from dataclasses import dataclass
from functools import partial

from benchmarks.faults.installations import Embedded, Fault, OnServers
from benchmarks.faults.ledger import Ledger
from benchmarks.faults.people import People
from benchmarks.faults.servers import wait_for

# Seconds of work between two faults, at most.
_BETWEEN = 5.0
_RECOVERY_SECONDS = 180.0


@dataclass(frozen=True)
class Result:
    """What a fault cost.

    Attributes:
        fault: its name.
        times: how often it was injected.
        uploads: acknowledged.
        uploads_found: of these, in the database with all their bytes.
        corrections: acknowledged.
        corrections_found: of these, in the database with their masks.
        unequal: after how many injections some of what had been acknowledged was missing.
        recovery: seconds from each injection to the next acknowledged work.
        refusals: how often people were told what instead of an acknowledgement.
        failed_runs: runs that ended with an error.
        failed_images: images without a score in the end.
    """

    fault: str
    times: int
    uploads: int
    uploads_found: int
    corrections: int
    corrections_found: int
    unequal: int
    recovery: list[float]
    refusals: dict[str, int]
    failed_runs: int
    failed_images: int

    @property
    def nothing_lost(self) -> bool:
        """Whether all that was acknowledged was there, each time and in the end."""
        return not self.unequal and (self.uploads, self.corrections) == (self.uploads_found, self.corrections_found)

    def sentence(self) -> str:
        """For people who watch."""
        return (
            f"{self.times} times, {self.uploads} → {self.uploads_found} uploads, {self.corrections} → "
            f"{self.corrections_found} corrections, unequal {self.unequal} times; {self.failed_runs} runs and "
            f"{self.failed_images} images failed"
        )

    def row(self) -> tuple[str, ...]:
        """For the table."""
        told = ", ".join(f"{name} {count}×" for name, count in sorted(self.refusals.items())) or "–"
        middle, longest = sorted(self.recovery)[len(self.recovery) // 2], max(self.recovery)
        return (
            self.fault,
            str(self.times),
            f"{self.uploads} → {self.uploads_found}",
            f"{self.corrections} → {self.corrections_found}",
            f"{middle:.1f}, longest {longest:.1f}",
            told,
        )


def inject(
    app: Embedded | OnServers,
    name: str,
    fault: Fault,
    times: int,
    *,
    between: float = _BETWEEN,
    seconds: float = float("inf"),
) -> Result:
    """Inject the fault so many times, each at a random moment of people's work.

    Args:
        app: what is at work, with people on it.
        name: of the fault.
        fault: injects it, and returns when it is over.
        times: at most.
        between: seconds of work before each, at most.
        seconds: after which no more is injected.
    """
    began = time.monotonic()
    ledger = Ledger()
    store = app.store()
    unequal = 0
    recovery: list[float] = []
    with People(app.addresses, ledger):
        wait_for(lambda: ledger.count().corrections > 0, "people can work")
        while len(recovery) < times and time.monotonic() - began < seconds:
            time.sleep(random.uniform(0, between))
            started = time.monotonic()
            fault()
            ended = time.monotonic()
            wait_for(partial(ledger.worked_since, ended), f"work goes on after: {name}", _RECOVERY_SECONDS)
            recovery.append(time.monotonic() - started)
            acknowledged, there = ledger.compare(store)
            unequal += acknowledged != there
    app.wait_until_ready(_RECOVERY_SECONDS)
    failed_runs, failed_images = _end(app)
    acknowledged, there = ledger.compare(store)
    store.database.close()
    return Result(
        name,
        len(recovery),
        acknowledged.uploads,
        there.uploads,
        acknowledged.corrections,
        there.corrections,
        unequal,
        recovery,
        dict(ledger.refusals),
        failed_runs,
        failed_images,
    )


def _end(app: Embedded | OnServers) -> tuple[int, int]:
    """Wait until all is scored and no run is live, by itself; how many runs and images failed."""

    def counts() -> dict[str, int]:
        return app.client.get("/projects").raise_for_status().json()[0]["images"]

    def live() -> list[dict]:
        runs = app.client.get("/runs", params={"limit": 500}).raise_for_status().json()
        return [run for run in runs if run["finished_at"] is None]

    wait_for(lambda: counts()["unscored"] == 0 and not live(), "all is scored and no run is live", 900)
    runs = app.client.get("/runs", params={"limit": 500}).json()
    return sum(run["state"] == "failed" for run in runs), counts()["failed"]
