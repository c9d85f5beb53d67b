"""Who makes a request."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import HTTPConnection

# Where the gate leaves the caller in a request's scope.
SCOPE_KEY = "anomalyloop.caller"


class Role(IntEnum):
    """Each may do all that those before it may."""

    ANYONE = 0
    VIEWER = 1
    ANNOTATOR = 2
    ADMIN = 3


@dataclass(frozen=True)
class Caller:
    """Who makes a request, and how that is known.

    Attributes:
        name: the user's, as annotations and runs keep it.
        role: what they may do.
        via: session, token, local (no accounts) or nobody.
        user_id: of their account; None without one.
    """

    name: str
    role: Role
    via: str
    user_id: int | None = None


# Without accounts: whoever reaches this machine's own address.
LOCAL = Caller("local", Role.ADMIN, "local")
NOBODY = Caller("nobody", Role.ANYONE, "nobody")


def caller_of(connection: HTTPConnection) -> Caller:
    """Who makes this request, as the gate found out."""
    found: Caller = connection.scope[SCOPE_KEY]
    return found


def caller_of_event(request: Any) -> Caller:
    """Who makes this event of the page; takes what Gradio hands to its functions."""
    return caller_of(request.request)


CallerDep = Annotated[Caller, Depends(caller_of)]
