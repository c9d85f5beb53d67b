"""The life of a run: taken with a lease, learnt, judged, and put in service or refused in one transaction."""

import hashlib
import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from db.errors import BlobsUnavailable
from db.images.annotations import get_annotations
from db.images.images import clear_scoring_errors
from db.images.verdicts import criterion_by
from db.projects.projects import get_project
from db.store import Store
from db.tables.core import Annotation, Project, PromptVersion, TuningRun
from db.training.approvals import await_approval
from db.training.golden_set import golden_annotations
from db.training.prompt_versions import activate, active_version, add_version, get_version, reject
from db.training.runs import claim, finish, get_run, give_back
from engine.detector.files import detector_to_bytes
from engine.learning.corrections import Correction
from engine.learning.deciding import Decision, hold_to_golden, left_to_second_person
from engine.learning.fitting import Config, Outcome, Progress, learn
from settings import get_settings
from workers.broker import dispatch
from workers.images.seen import detector_of
from workers.operations.tracing import for_run
from workers.training.corrections import read_corrections, root_of, unlabelled_features
from workers.training.ending import ending
from workers.training.golden import GoldenVerdict, judge_golden
from workers.training.lease import Lease, LeaseLost, RunCancelled, worker_name
from workers.training.previewing import forget_previews

if TYPE_CHECKING:
    from engine.serving.engine import Engine

logger = logging.getLogger(__name__)

_READING_SHARE = 0.3  # of the progress bar


def tune(store: Store, engine: "Engine", run_id: int) -> None:
    """Carry a run to its end, if it is still to be had; another worker's run is left alone.

    What goes wrong is written into the run; nothing is raised but what means that this process must end.
    """
    worker, lease_seconds = worker_name(), get_settings().lease_seconds
    with store.session() as session:
        if not claim(session, run_id, worker, lease_seconds):
            return
    with for_run(run_id):
        _carry_out(store, engine, run_id, worker, lease_seconds)


def _carry_out(store: Store, engine: "Engine", run_id: int, worker: str, lease_seconds: float) -> None:
    try:
        with Lease(store, run_id, worker, lease_seconds) as lease:
            _Run(store, engine, run_id, worker, lease).carry_out()
    except LeaseLost as lost:
        logger.warning("Gave up: %s.", lost)
    except (BlobsUnavailable, OperationalError) as error:
        logger.warning("Run %d waits for its database and its files. %s", run_id, error)
        with store.session() as session:  # fails where it is the database; then the run is found by its silence
            give_back(session, run_id, worker)
    except RunCancelled:
        _end(store, run_id, worker, state="cancelled", decision="Cancelled; what is in service stays.")
    except Exception as error:
        logger.exception("Run %d failed.", run_id)
        reason = (
            f"{error or type(error).__name__} What is in service stays. See the worker's log, then start a new run."
        )
        _end(store, run_id, worker, state="failed", error=reason)


def _end(store: Store, run_id: int, worker: str, *, state: str, decision: str = "", error: str = "") -> None:
    with ending(store, run_id) as session:
        finish(session, run_id, worker, state=state, decision=decision, error=error)


class _Run:
    def __init__(self, store: Store, engine: "Engine", run_id: int, worker: str, lease: Lease) -> None:
        self.store, self.engine, self.lease, self.worker = store, engine, lease, worker
        with store.session(read_only=True) as session:
            self.run: TuningRun = get_run(session, run_id)
            self.project: Project = get_project(session, self.run.project_id)
        self.encoded_images = self.run.encoded_images  # by an earlier attempt

    def carry_out(self) -> None:
        golden = self._golden()
        annotations = self._annotations()
        root, active = self._versions()
        corrections = self._corrections(annotations)
        settings = self.project.settings
        outcome = learn(
            self.engine,
            detector_of(self.store, self.engine, root),
            detector_of(self.store, self.engine, active),
            corrections,
            Config(
                epochs=int(self.run.config["epochs"]),
                seed=self.run.seed,
                threshold=settings["threshold"],
                threshold_is_chosen=settings.get("threshold_chosen", False),
            ),
            self._report,
            list(unlabelled_features(self.store, self.engine, self.run.project_id)),
        )
        judged = self._judge_golden(active, outcome, golden)
        self._conclude(outcome, len(corrections), judged)

    def _golden(self) -> list[Annotation]:
        with self.store.session(read_only=True) as session:
            return golden_annotations(session, self.run.project_id)

    def _annotations(self) -> list[Annotation]:
        ids = [*self.run.training_annotation_ids, *self.run.holdout_annotation_ids]
        with self.store.session(read_only=True) as session:
            annotations = get_annotations(session, ids)
        # What was made golden after this run was asked for is not learnt from either.
        annotations = [one for one in annotations if not one.image.golden]
        if not annotations:
            raise ValueError("Every corrected image of this run was deleted or made golden before it began.")
        return annotations

    def _versions(self) -> tuple[PromptVersion, PromptVersion]:
        """Where learning starts, and what was in service when the run was started."""
        with self.store.session(read_only=True) as session:
            if self.run.parent_version_id is None:
                raise ValueError("The run names no version to start from.")
            active = get_version(session, self.run.parent_version_id)
            return root_of(session, active), active

    def _corrections(self, annotations: list[Annotation]) -> list[Correction]:
        corrections, encoded = [], self.encoded_images
        for number, (correction, fresh) in enumerate(read_corrections(self.store, self.engine, annotations), start=1):
            corrections.append(correction)
            encoded += fresh
            if fresh or number % 10 == 0 or number == len(annotations):
                self.lease.renew(
                    progress=_READING_SHARE * number / len(annotations),
                    stage=f"reading corrections, {number} of {len(annotations)} ({encoded} encoded anew)",
                    encoded_images=encoded,
                )
        self.encoded_images = encoded
        return corrections

    def _report(self, progress: Progress) -> None:
        self.lease.renew(
            progress=_READING_SHARE + (1 - _READING_SHARE) * 0.99 * progress.share,
            stage=progress.stage,
            losses=progress.losses,
            state="evaluating" if progress.judging else "running",
        )

    def _judge_golden(self, active: PromptVersion, outcome: Outcome, golden: list[Annotation]) -> GoldenVerdict:
        self.lease.renew(stage=f"judging {len(golden)} golden images" if golden else None)
        by = criterion_by(self.project.settings)
        return judge_golden(self.store, self.engine, active, outcome.detector, golden, by)

    def _conclude(self, outcome: Outcome, corrections: int, golden: GoldenVerdict) -> None:
        """Version, decision and the run's end in one transaction: all of it happened, or none."""
        data = detector_to_bytes(outcome.detector)
        metrics = self._metrics(outcome, corrections)
        if golden.images:
            metrics["golden"] = golden.as_metrics()
        decision = hold_to_golden(outcome.decision, golden.names, golden.images)
        with self.store.clearing_up([self.store.blobs.put(data)]), ending(self.store, self.run.id) as session:
            version = add_version(
                session,
                project_id=self.run.project_id,
                origin="tuned",
                blob_key=self.store.keep_until_named(session, data),
                sha256=hashlib.sha256(data).hexdigest(),
                backbone_name=self.engine.info.name,
                backbone_fingerprint=self.engine.info.fingerprint,
                parent_id=self.run.parent_version_id,
                metrics=metrics,
                note=f"learnt from {corrections} corrected images",
                author=self.run.author,
            )
            current = active_version(session, self.run.project_id)
            if decision.promote and current is not None and current.id != self.run.parent_version_id:
                decision = Decision(
                    None, f"Another version became active meanwhile; this one waits for a person. {decision.sentence}"
                )
            if decision.promote and self._wants_second_person(session):
                decision = left_to_second_person(decision)
                await_approval(session, version)
            if decision.promote:
                activate(session, version.id, self.run.author)
                clear_scoring_errors(session, self.run.project_id)
            elif decision.promote is False:
                reject(session, version.id)
            held = finish(
                session,
                self.run.id,
                self.worker,
                state="succeeded",
                decision=decision.sentence,
                metrics=metrics,
                candidate_version_id=version.id,
            )
            if not held:
                raise LeaseLost(f"run {self.run.id} was taken over")
        if decision.promote:
            forget_previews(self.store, self.run.project_id)
            dispatch.request_rescoring(self.run.project_id)

    def _wants_second_person(self, session: Session) -> bool:
        return bool(get_project(session, self.run.project_id).settings.get("second_person", False))

    def _metrics(self, outcome: Outcome, corrections: int) -> dict[str, Any]:
        """What is kept of a run: figures out of fold, what was offered, and what the threshold does."""
        metrics: dict[str, Any] = {
            "method": "out of fold" if outcome.comparison else "unjudged",
            "corrections": corrections,
            "parts": list(outcome.detector.parts),
            "offers": [asdict(offer) for offer in outcome.offers],
            "epochs": int(self.run.config["epochs"]),
            "encoded_images": self.encoded_images,
        }
        if outcome.comparison is not None:
            metrics |= asdict(outcome.comparison)
        if outcome.operating_point is not None:
            metrics["operating_point"] = asdict(outcome.operating_point)
        return metrics
