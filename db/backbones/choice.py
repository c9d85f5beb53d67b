"""Which backbone the installation uses, and the way of another one into use: checking → fetching → loading → done.

Any step may end as failed or cancelled; the one in use stays until the other is ready.
"""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.clock import shared_now
from db.errors import ChangeInProgress
from db.insert import insert_or_find
from db.lookup import get_row
from db.tables.operations import BackboneChoice

LIVE = ("checking", "fetching", "loading")
# Whoever brings one in and is silent for so long has ended: another one goes on with it. Loading says nothing for long.
_SILENT = timedelta(seconds=90)


def read_choice(session: Session) -> BackboneChoice:
    """The row as it is; one of defaults, which is not kept, where nothing was ever chosen."""
    found = session.get(BackboneChoice, 1)
    if found is not None:
        return found
    nothing = {"name": "", "previous": "", "wanted": "", "state": "", "error": "", "author": "", "measured": {}}
    return BackboneChoice(id=1, **nothing, done_bytes=0, total_bytes=0)


def ask_for(session: Session, name: str, author: str) -> None:
    """Have this backbone brought in. Raises ChangeInProgress while another one is on its way."""
    choice = _locked(session)
    if choice.state in LIVE:
        raise ChangeInProgress(choice.wanted)
    choice.wanted, choice.state, choice.error, choice.author = name, "checking", "", author
    choice.done_bytes = choice.total_bytes = 0
    choice.heartbeat_at = None


def take(session: Session) -> str | None:
    """The name of the backbone that this process is to bring in; None where there is none, or another process does."""
    choice = read_choice(session)
    if choice.state not in LIVE:
        return None
    choice = _locked(session)
    now = shared_now(session)
    if choice.state not in LIVE or (choice.heartbeat_at is not None and now - choice.heartbeat_at < _SILENT):
        return None
    choice.heartbeat_at = now
    return choice.wanted


def give_back(session: Session) -> None:
    """Whoever was bringing one in has ended: it is to be had at once."""
    choice = _locked(session)
    if choice.state in LIVE:
        choice.heartbeat_at = None


def go_on(session: Session, name: str, state: str, done: int = 0, total: int = 0) -> bool:
    """Say how far it is. False: it is wanted no more, and its bringing is to end."""
    choice = _locked(session)
    if choice.wanted != name or choice.state not in LIVE:
        return False
    choice.state, choice.done_bytes, choice.total_bytes = state, done, total
    choice.heartbeat_at = shared_now(session)
    return True


def fail(session: Session, name: str, error: str) -> None:
    """It could not be brought in, for this reason; what is in use stays."""
    choice = _locked(session)
    if choice.wanted == name and choice.state in LIVE:
        choice.state, choice.error = "failed", error


def cancel(session: Session) -> None:
    """Nobody wants it any more; nothing happens where it is in use by now."""
    choice = _locked(session)
    if choice.state in LIVE:
        choice.state = "cancelled"


def put_to_use(session: Session, wanted: str, name: str, before: str) -> bool:
    """The wanted backbone is ready: from here on it is the one in use.

    Args:
        session: a writing session; projects' versions change in it too.
        wanted: as it was asked for.
        name: in its right spelling.
        before: what was in use, under its name.

    Returns:
        False: it is wanted no more, and nothing was changed.
    """
    choice = _locked(session)
    if choice.wanted != wanted or choice.state not in LIVE:
        return False
    if name != before:
        choice.previous = before
    choice.name, choice.wanted, choice.state = name, "", "done"
    choice.changed_at = shared_now(session)
    return True


def keep_measured(session: Session, name: str, seconds: float, device: str) -> None:
    """How long an image takes with a backbone here, in seconds."""
    choice = _locked(session)
    choice.measured = {**choice.measured, name: {"seconds": seconds, "device": device}}


def _locked(session: Session) -> BackboneChoice:
    insert_or_find(session, BackboneChoice(id=1, measured={}), select(BackboneChoice).where(BackboneChoice.id == 1))
    return get_row(session, BackboneChoice, 1, lock=True)
