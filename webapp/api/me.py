"""`/me`: whose token or cookie this is, and what they may do."""

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from db.projects.projects import find_project
from webapp.access.callers import CallerDep, Role
from webapp.access.gate import address_of, name_object
from webapp.access.identity import browser_mark
from webapp.api.dependencies import SettingsDep, StoreDep
from workers.accounts.managing import change_user
from workers.accounts.signing_in import Attempt, confirm_password

router = APIRouter(prefix="/me", tags=["accounts"])

RoleName = Literal["viewer", "annotator", "admin"]
ScopeName = Literal["line", "read", "annotate", "all"]


def role_name(role: Role) -> RoleName:
    """How REST calls the role of someone who is signed in."""
    names: dict[Role, RoleName] = {Role.VIEWER: "viewer", Role.ANNOTATOR: "annotator", Role.ADMIN: "admin"}
    return names[role]


class Me(BaseModel):
    """Who makes this request."""

    name: str
    role: RoleName = Field(description="In the installation, and in projects that are open to all users.")
    accounts: bool = Field(description="Whether people sign in here; without accounts everyone is `local`.")
    project_role: RoleName | None = Field(description="In the project that was asked for; null where you see none.")
    scope: ScopeName = Field(description="How far your token reaches; `all` without one.")
    only_project: str | None = Field(description="For which alone your token is.")


class PasswordChange(BaseModel):
    """Another password for oneself."""

    model_config = ConfigDict(extra="forbid")

    old: str = Field(max_length=1000)
    new: str = Field(max_length=1000, description="10 to 500 characters.")


@router.get("")
def get_me(
    store: StoreDep,
    caller: CallerDep,
    project: Annotated[str | None, Query(description="The project to tell your role in.")] = None,
) -> Me:
    """Your name, your role, and what your token reaches."""
    with store.session(read_only=True) as session:
        found = None if project is None else find_project(session, project)
    there = Role.ANYONE if found is None else caller.role_in(found.id)
    return Me(
        name=caller.name,
        role=role_name(caller.role),
        accounts=caller.via != "local",
        project_role=role_name(there) if there else None,
        scope=caller.scope.value,
        only_project=None if caller.one_project is None else caller.one_project.name,
    )


@router.put("/password", status_code=204)
def put_password(
    request: Request, store: StoreDep, settings: SettingsDep, caller: CallerDep, change: PasswordChange
) -> None:
    """Change your password; every browser that is signed in as you has to sign in again."""
    if caller.user_id is None:
        raise HTTPException(404, "There are no accounts here, so there is no password to change.")
    name_object(request, f"user {caller.name}")
    mark = browser_mark(request, settings)
    confirm_password(store, settings, Attempt(caller.name, change.old, address_of(request), mark))
    change_user(store, caller.user_id, password=change.new)
