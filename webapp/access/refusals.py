"""How a role that is too small is refused: the same over REST and on the page."""

from webapp.access.callers import Caller, Role
from webapp.texts import Texts


def needs_role(say: Texts, caller: Caller, role: Role) -> str:
    """The sentence for a caller who has less than this role."""
    return say("access.needs_role", needed=_name(say, role), name=caller.name, role=_name(say, caller.role))


def _name(say: Texts, role: Role) -> str:
    return say(f"role.{role.name.lower()}")
