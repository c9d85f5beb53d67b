"""Who makes a request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
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


class Scope(StrEnum):
    """How far a token reaches into what its account may do."""

    LINE = "line"
    READ = "read"
    ANNOTATE = "annotate"
    ALL = "all"


@dataclass(frozen=True)
class OneProject:
    """The project for which alone a token is."""

    id: int
    name: str


@dataclass(frozen=True)
class Caller:
    """Who makes a request, and how that is known.

    Attributes:
        name: the user's, as annotations and runs keep it.
        role: what they may do, in projects that are open to all and in the installation.
        via: session, token, local (no accounts) or nobody.
        user_id: of their account; None without one.
        scope: how far their token reaches.
        one_project: for which alone their token is; None: for all.
        closed_projects: role in each project, by id, that is for its members alone; ANYONE: they are no member.
    """

    name: str
    role: Role
    via: str
    user_id: int | None = None
    scope: Scope = Scope.ALL
    one_project: OneProject | None = None
    closed_projects: Mapping[int, Role] = field(default_factory=dict)

    @property
    def sees_all(self) -> bool:
        """Whether there is no project that they don't see, and their role is the same in each."""
        return self.one_project is None and not self.closed_projects

    def role_in(self, project_id: int) -> Role:
        """Their role in a project; ANYONE where they don't see it."""
        if self.one_project is not None and self.one_project.id != project_id:
            return Role.ANYONE
        return self.closed_projects.get(project_id, self.role)

    def role_asked_by(self, project_id: int | None) -> Role:
        """Their role in a project; where they don't see it, or there is none, that in the installation.

        By that role they are refused what is too much for it, so that no refusal tells one from the other.
        """
        return (Role.ANYONE if project_id is None else self.role_in(project_id)) or self.role

    @property
    def highest_role(self) -> Role:
        """The most that they are in any project."""
        return max(self.role, *self.closed_projects.values(), Role.ANYONE)


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
