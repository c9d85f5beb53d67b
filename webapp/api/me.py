"""`/me`: whose token or cookie this is, and what they may do."""

from typing import Literal

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field

from webapp.access.callers import CallerDep
from webapp.access.gate import address_of, name_object
from webapp.access.identity import browser_mark
from webapp.api.dependencies import SettingsDep, StoreDep
from workers.accounts.managing import change_user
from workers.accounts.signing_in import Attempt, confirm_password

router = APIRouter(prefix="/me", tags=["accounts"])

RoleName = Literal["viewer", "annotator", "admin"]


class Me(BaseModel):
    """Who makes this request."""

    name: str
    role: RoleName
    accounts: bool = Field(description="Whether people sign in here; without accounts everyone is `local`.")


class PasswordChange(BaseModel):
    """Another password for oneself."""

    model_config = ConfigDict(extra="forbid")

    old: str = Field(max_length=1000)
    new: str = Field(max_length=1000, description="10 to 500 characters.")


@router.get("")
def get_me(caller: CallerDep) -> Me:
    """Your name and your role."""
    return Me.model_validate({"name": caller.name, "role": caller.role.name.lower(), "accounts": caller.via != "local"})


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
