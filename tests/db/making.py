"""Rows to test with, and several people at once."""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from db.images.annotations import add_annotation
from db.images.images import add_image
from db.images.newest_annotations import let_count
from db.images.predictions import save_prediction
from db.projects.projects import ensure_project
from db.store import Store
from db.tables.core import Annotation, Image, Prediction, PromptVersion, TuningRun
from db.training.prompt_versions import activate, add_version
from db.training.runs import create_run

Result = TypeVar("Result")
ROOT = Path(__file__).parents[2]
# Imports take long and differ in time: processes start together when all of them are past it.
GATE = """
import contextlib, sys, db.store, tests.db.making
with contextlib.suppress(ImportError):
    import psycopg
print("ready", flush=True)
sys.stdin.readline()
"""


def make_project(session: Session, name: str = "default") -> int:
    """The id of a project."""
    return ensure_project(session, name).id


def make_image(session: Session, project_id: int, number: int, **values: Any) -> Image:
    """Image `number`: another number, other bytes."""
    sha256 = hashlib.sha256(str(number).encode()).hexdigest()
    given = {
        "sha256": sha256,
        "blob_key": f"{sha256[:2]}/{sha256}",
        "file_name": f"{number}.png",
        "byte_size": 100,
        "width": 64,
        "height": 48,
        "author": "ada",
    }
    return add_image(session, project_id=project_id, **{**given, **values})[0]


def make_version(session: Session, project_id: int, *, active: bool = True) -> PromptVersion:
    """A prompt version, active unless told otherwise."""
    sha256 = "0" * 64
    version = add_version(
        session,
        project_id=project_id,
        origin="shipped",
        blob_key=f"00/{sha256}",
        sha256=sha256,
        backbone_name="embedded",
        backbone_fingerprint="f" * 64,
    )
    return activate(session, version.id) if active else version


def make_whole_image(
    session: Session, store: Store, project_id: int, version: PromptVersion, number: int, score: float = 0.5
) -> Annotation:
    """An image with a prediction and a correction, and the blobs of all three: `image 1`, `map 1`, `mask 1`."""
    image = make_image(session, project_id, number, blob_key=store.blobs.put(b"image %d" % number))
    make_prediction(session, image, version, score).map_blob_key = store.blobs.put(b"map %d" % number)
    return make_annotation(session, image, mask_blob_key=store.blobs.put(b"mask %d" % number))


def make_prediction(session: Session, image: Image, version: PromptVersion, score: float = 0.5) -> Prediction:
    """A prediction with this score."""
    return save_prediction(
        session,
        image_id=image.id,
        prompt_version_id=version.id,
        score=score,
        map_blob_key=f"11/{'1' * 64}",
        map_max=score,
        engine_settings={"device": "cpu"},
    )


def make_annotation(session: Session, image: Image, **values: Any) -> Annotation:
    """The next revision of an image: drawn, unless told otherwise."""
    given: dict[str, Any] = {
        "label": "anomalous",
        "mask_blob_key": f"22/{'2' * 64}",
        "area": 12,
        "source": "drawn",
        "author": "ada",
        "prompt_version_id": None,
    }
    return add_annotation(session, image_id=image.id, **{**given, **values})


def let_newest_count(session: Session) -> None:
    """What `add_annotation` keeps, for annotations whose rows were written without it."""
    newest: dict[int, Annotation] = {}
    for one in session.scalars(select(Annotation).order_by(Annotation.revision).options(joinedload(Annotation.image))):
        newest[one.image_id] = one
    for one in newest.values():
        let_count(session, one.image, one)


def make_run(session: Session, project_id: int, training: list[int] | None = None, **values: Any) -> TuningRun:
    """A queued run that learns from these annotations."""
    given: dict[str, Any] = {
        "trigger": "manual",
        "config": {"epochs": 3},
        "seed": 7,
        "training_annotation_ids": training or [],
        "holdout_annotation_ids": [],
        "parent_version_id": None,
    }
    return create_run(session, project_id=project_id, **{**given, **values})


def at_once(count: int, do: Callable[[int], Result]) -> list[Result | Exception]:
    """Call do(0), do(1), … in so many threads that start together; what each returned or raised."""
    gate = Barrier(count)

    def start(number: int) -> Result | Exception:
        gate.wait()
        try:
            return do(number)
        except Exception as error:
            return error

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(start, range(count)))


def in_processes(count: int, code: str, *arguments: str) -> list[str]:
    """Run this Python code in so many processes that start together; what each wrote. All must end well."""
    command = [sys.executable, "-c", GATE + code, *arguments]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    running = [subprocess.Popen(command, cwd=ROOT, text=True, **pipes) for _ in range(count)]
    for process in running:
        process.stdout.readline()  # type: ignore[union-attr]
    for process in running:
        process.stdin.write("go\n")  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
    written = [process.communicate() for process in running]
    errors = [error for process, (_, error) in zip(running, written, strict=True) if process.returncode]
    assert not errors, "\n".join(errors)
    return [output for output, _ in written]
