"""Claims of images that are to be scored: each is with one worker at a time, and comes back when that one dies.

When a claim is over goes by the database's clock (`db/clock.py`).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, and_, delete, insert, select, update
from sqlalchemy.orm import Session

from db.clock import shared_now
from db.images.rows import unscored_images
from db.tables.claims import ScoringClaim
from db.tables.core import Image, Prediction, PromptVersion


def unclaimed_images(session: Session, project_id: int, limit: int) -> list[Image]:
    """Images that the active version has not scored, that did not fail and that nobody scores now; the newest first.

    Empty where no version is active.
    """
    now = shared_now(session)
    claimed = set(session.scalars(select(ScoringClaim.image_id).where(ScoringClaim.until > now)))
    unscored = unscored_images(session, project_id, limit + len(claimed))
    return [image for image in unscored if image.id not in claimed][:limit]


def claim_images(session: Session, image_ids: Sequence[int], worker: str, lease: timedelta) -> list[int]:
    """Claim those of these images that wait for a score and that nobody else has, in their order.

    Args:
        session: a writing session, which is to end at once.
        image_ids: which ones.
        worker: who claims them.
        lease: for how long, unless `renew_claims` is called in time.
    """
    # Others that claim now pass over what is locked here, and nobody waits; that of keys is free, for other rows' sake.
    wanted = select(Image.id).where(Image.id.in_(image_ids)).with_for_update(key_share=True, skip_locked=True)
    locked = list(session.scalars(wanted))
    if not locked:
        return []
    # A statement of its own: it sees what was scored, and what was claimed, until the locks were had.
    now = shared_now(session)
    free = set(session.scalars(_to_score(now).where(Image.id.in_(locked))))
    mine = [image_id for image_id in dict.fromkeys(image_ids) if image_id in free]
    if mine:
        session.execute(delete(ScoringClaim).where(ScoringClaim.image_id.in_(mine)))
        rows = [{"image_id": image_id, "worker": worker, "until": now + lease} for image_id in mine]
        session.execute(insert(ScoringClaim), rows)
    return mine


def renew_claims(session: Session, worker: str, lease: timedelta) -> None:
    """The worker lives: what it holds, it holds on to."""
    held = update(ScoringClaim).where(ScoringClaim.worker == worker)
    session.execute(held.values(until=shared_now(session) + lease))


def end_claims(session: Session, image_ids: Sequence[int]) -> None:
    """These images are scored: in the transaction that says so, whoever claimed them."""
    session.execute(delete(ScoringClaim).where(ScoringClaim.image_id.in_(image_ids)))


def held_by(session: Session, worker: str, image_ids: Sequence[int]) -> list[int]:
    """Those of these images that a worker still holds."""
    held = select(ScoringClaim.image_id).where(ScoringClaim.worker == worker, ScoringClaim.image_id.in_(image_ids))
    return list(session.scalars(held))


def drop_claims(session: Session, worker: str, image_ids: Sequence[int]) -> None:
    """The worker is done with these, whatever it did not get to: others may have them."""
    held = delete(ScoringClaim).where(ScoringClaim.worker == worker, ScoringClaim.image_id.in_(image_ids))
    session.execute(held)


def _to_score(now: datetime) -> Select[int]:
    """The ids of images that the active version of their project has not scored, and that are free."""
    active = and_(PromptVersion.project_id == Image.project_id, PromptVersion.state == "active")
    scored = and_(Prediction.image_id == Image.id, Prediction.prompt_version_id == PromptVersion.id)
    claimed = and_(ScoringClaim.image_id == Image.id, ScoringClaim.until > now)
    return (
        select(Image.id)
        .select_from(Image)
        .join(PromptVersion, active)
        .outerjoin(Prediction, scored)
        .outerjoin(ScoringClaim, claimed)
        .where(Prediction.id.is_(None), ScoringClaim.image_id.is_(None), Image.scoring_error.is_(None))
    )
