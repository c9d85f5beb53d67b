"""What tests of the workers put into an installation."""

from datetime import timedelta
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from db.images.rows import unscored_images
from db.operations.blob_rows import all_named_blobs
from db.store import Store
from db.tables.base import utc_now
from db.tables.core import Annotation, Image, PromptVersion, TuningRun
from db.training.prompt_versions import activate, active_version, add_version
from tests.conftest import Installation
from tests.pictures import mask_png, png
from tests.running import wait_until
from workers.images.correcting import mark_normal, save_mask
from workers.images.intake import add_upload
from workers.scoring.scorer import score_unscored


def add(installation: Installation, *, seed: int = 0) -> int:
    """One noisy picture of 90×70 px; returns its id."""
    return add_upload(installation.store, installation.project_id, f"{seed}.png", png(seed)).image_id


def score_all(store: Store, project_id: int) -> None:
    """Score all that waits; the page's own scorer may have claimed some of it, and is waited for."""

    def none_waits() -> bool:
        score_unscored(store, project_id, limit=100)
        with store.session(read_only=True) as session:
            return not unscored_images(session, project_id, 1)

    wait_until(none_waits, "all scored")


def correct(installation: Installation, count: int, *, normal: bool = False, first_seed: int = 0) -> list[Annotation]:
    """Add pictures and correct each with a mask, or as normal."""
    ids = [add(installation, seed=first_seed + number) for number in range(count)]
    store = installation.store
    return [mark_normal(store, one) if normal else save_mask(store, one, mask_png()) for one in ids]


def nameless(installation: Installation) -> set[str]:
    """The blobs that no row names."""
    with installation.store.session(read_only=True) as session:
        return installation.store.blobs.keys().keys() - set(all_named_blobs(session))


def change_run(installation: Installation, run_id: int, **values: object) -> None:
    """Write into a run's row what time or a lost worker would have done."""
    with installation.store.session() as session:
        session.execute(update(TuningRun).where(TuningRun.id == run_id).values(**values))


def change_image(installation: Installation, image_id: int, **values: object) -> None:
    """Write into an image's row."""
    with installation.store.session() as session:
        session.execute(update(Image).where(Image.id == image_id).values(**values))


def age_annotations(installation: Installation, *, hours: float) -> None:
    """Make every annotation this much older."""
    with installation.store.session() as session:
        session.execute(update(Annotation).values(created_at=utc_now() - timedelta(hours=hours)))


def copy_of_active(session: Session, project_id: int, **values: Any) -> PromptVersion:
    """A candidate with the prompts of the active version."""
    first = active_version(session, project_id)
    assert first is not None
    same = ("blob_key", "sha256", "backbone_name", "backbone_fingerprint")
    kept = {name: getattr(first, name) for name in same}
    return add_version(session, project_id=project_id, origin="tuned", **kept, **values)


def activate_copy(installation: Installation) -> None:
    """A second version with the active one's prompts, in use; no image is scored with it yet."""
    with installation.store.session() as session:
        second = copy_of_active(session, installation.project_id)
        activate(session, second.id)
