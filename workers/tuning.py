"""The life of a run: taken with a lease, tuned, judged, and put in service or refused in one transaction."""

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import torch
from sqlalchemy.exc import OperationalError

from db.annotations import get_annotations
from db.errors import BlobsUnavailable
from db.images import clear_scoring_errors
from db.models import Annotation, TuningRun
from db.prompt_versions import activate, active_version, add_version, get_version, reject
from db.runs import claim, finish, get_run, give_back
from db.store import Store
from engine.holdout import Fold, judging_folds
from engine.images import decode_image, decode_mask
from engine.preprocess import preprocess_mask
from engine.prompt_files import prompts_to_bytes
from engine.proposal import Progress, Proposal, propose
from engine.tuning import Example, TuningConfig
from settings import get_settings
from workers import dispatch
from workers.deciding import Decision, decide
from workers.ending import ending
from workers.lease import Lease, LeaseLost, RunCancelled, worker_name
from workers.tracing import for_run

if TYPE_CHECKING:
    from engine.prompts import Prompts
    from engine.serving import Engine

logger = logging.getLogger(__name__)

# How the product tunes: the paper's loss on the patch grid, held near the active prompts while corrections are few.
PRODUCT_CONFIG = TuningConfig(learning_rate=2e-3, resolution="patches", pull=2.0)
_ENCODING_SHARE = 0.3  # of the progress bar
_CHECKPOINT_SECONDS = 2.0


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
        _end(store, run_id, worker, state="cancelled", decision="Cancelled; the active prompts stay.")
    except Exception as error:
        logger.exception("Run %d failed.", run_id)
        reason = f"{error or type(error).__name__} The active prompts stay. See the worker's log, then start a new run."
        _end(store, run_id, worker, state="failed", error=reason)


def _end(store: Store, run_id: int, worker: str, *, state: str, decision: str = "", error: str = "") -> None:
    with ending(store, run_id) as session:
        finish(session, run_id, worker, state=state, decision=decision, error=error)


class _Run:
    def __init__(self, store: Store, engine: "Engine", run_id: int, worker: str, lease: Lease) -> None:
        self.store, self.engine, self.lease, self.worker = store, engine, lease, worker
        with store.session(read_only=True) as session:
            self.run: TuningRun = get_run(session, run_id)
        self.encoded_images = self.run.encoded_images  # by an earlier attempt
        self.checkpoint_key = self.run.checkpoint_blob_key
        self.checkpoint_at = time.monotonic()

    def carry_out(self) -> None:
        annotations = self._annotations()
        active = self._parent_prompts()
        examples = self._examples(annotations)
        proposal = propose(
            self.engine,
            active,
            examples,
            self._folds(annotations),
            TuningConfig(**{**asdict(PRODUCT_CONFIG), "seed": self.run.seed}),
            epochs=int(self.run.config["epochs"]),
            report=self._report,
            checkpoint=self.store.blobs.get(self.checkpoint_key) if self.checkpoint_key else None,
        )
        decision = decide(proposal.comparison, proposal.method)
        cost = f"{self.encoded_images} of {len(examples)} corrected images had to be encoded, the others were cached."
        self._conclude(proposal, Decision(decision.promote, f"{decision.sentence} {cost}"))

    def _annotations(self) -> list[Annotation]:
        ids = [*self.run.training_annotation_ids, *self.run.holdout_annotation_ids]
        with self.store.session(read_only=True) as session:
            annotations = get_annotations(session, ids)
        if not annotations:
            raise ValueError("Every corrected image of this run was deleted before it began.")
        return annotations

    def _parent_prompts(self) -> "Prompts":
        with self.store.session(read_only=True) as session:
            if self.run.parent_version_id is None:
                raise ValueError("The run names no version to start from.")
            version = get_version(session, self.run.parent_version_id)
        return self.engine.load_prompts(self.store.blobs.get(version.blob_key))

    def _folds(self, annotations: list[Annotation]) -> list[Fold]:
        held = set(self.run.holdout_annotation_ids)
        if held:
            positions = range(len(annotations))
            inside = tuple(i for i in positions if annotations[i].id in held)
            outside = tuple(i for i in positions if annotations[i].id not in held)
            if inside and outside:
                return [Fold(outside, inside)]
        keys = [annotation.image.sha256 for annotation in annotations]
        return judging_folds(keys, [int(annotation.label == "anomalous") for annotation in annotations])

    def _examples(self, annotations: list[Annotation]) -> list[Example]:
        examples, encoded = [], self.encoded_images
        for number, annotation in enumerate(annotations, start=1):
            features, fresh = self.engine.features(annotation.image.sha256, partial(self._decode, annotation))
            encoded += fresh
            examples.append(Example(features, self._mask(annotation)))
            self.lease.renew(
                progress=_ENCODING_SHARE * number / len(annotations),
                stage=f"reading corrections, {number} of {len(annotations)} ({encoded} encoded anew)",
                encoded_images=encoded,
            )
        self.encoded_images = encoded
        return examples

    def _decode(self, annotation: Annotation):  # type: ignore[no-untyped-def]  # PIL's image
        data = self.store.blobs.get(annotation.image.blob_key)
        pixels = annotation.image.width * annotation.image.height
        return decode_image(data, max_pixels=pixels, max_bytes=len(data))

    def _mask(self, annotation: Annotation) -> torch.Tensor:
        size = self.engine.image_size
        if annotation.mask_blob_key is None:
            return torch.zeros(size, size, dtype=torch.uint8)
        image = annotation.image
        mask = decode_mask(self.store.blobs.get(annotation.mask_blob_key), width=image.width, height=image.height)
        return preprocess_mask(mask, size, keep_small=True)

    def _report(self, progress: Progress) -> None:
        self.lease.renew(
            progress=_ENCODING_SHARE + (1 - _ENCODING_SHARE) * 0.99 * progress.share,
            stage=progress.stage,
            losses=progress.losses,
            state="evaluating" if progress.judging else "running",
        )
        if time.monotonic() - self.checkpoint_at > _CHECKPOINT_SECONDS:
            self._save_checkpoint(progress.checkpoint)

    def _save_checkpoint(self, checkpoint: Callable[[], bytes]) -> None:
        previous, self.checkpoint_key = self.checkpoint_key, self.store.blobs.put(checkpoint())
        try:
            self.lease.renew(checkpoint_blob_key=self.checkpoint_key)
        finally:  # of the two, the run names one or none
            self.store.delete_blobs({key for key in (previous, self.checkpoint_key) if key})
        self.checkpoint_at = time.monotonic()

    def _conclude(self, proposal: Proposal, decision: Decision) -> None:
        """Version, decision and the run's end in one transaction: all of it happened, or none."""
        data = prompts_to_bytes(proposal.prompts)
        metrics = {"method": proposal.method, "epochs": proposal.epochs, "encoded_images": self.encoded_images}
        if proposal.comparison is not None:
            metrics |= asdict(proposal.comparison)
        self.store.blobs.put(data)
        with ending(self.store, self.run.id) as session:
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
                note=proposal.prompts.note,
                author=self.run.author,
            )
            current = active_version(session, self.run.project_id)
            if decision.promote and current is not None and current.id != self.run.parent_version_id:
                decision = Decision(
                    None, f"Another version became active meanwhile; this one waits for a person. {decision.sentence}"
                )
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
            dispatch.request_rescoring(self.run.project_id)
