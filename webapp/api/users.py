"""`/users`: accounts and their tokens, for admins. Nothing here ever shows a password, or a token a second time."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from db.accounts.credentials import revoke_token
from db.accounts.users import get_user, list_users, tokens_of
from db.tables.accounts import User
from webapp.access.gate import name_object
from webapp.api.dependencies import Id, StoreDep
from webapp.api.me import RoleName
from workers.accounts.managing import change_user, make_token, make_user

router = APIRouter(prefix="/users", tags=["accounts"])

Password = Annotated[str, Field(max_length=1000, description="10 to 500 characters.")]


class UserView(BaseModel):
    """An account."""

    id: int
    name: str
    role: RoleName
    disabled: bool
    has_password: bool = Field(description="Without one, only tokens open the account.")
    created_at: datetime


class NewUser(BaseModel):
    """An account to make."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=200, description="Capitals do not matter.")
    role: RoleName
    password: Password | None = Field(None, description="Null: only tokens open the account.")


class UserChange(BaseModel):
    """What to change; what is left out, or null, stays."""

    model_config = ConfigDict(extra="forbid")

    role: RoleName | None = None
    disabled: bool | None = Field(None, description="A disabled account signs in nowhere, and its tokens open nothing.")
    password: Password | None = None


class TokenView(BaseModel):
    """A token that works."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    hint: str = Field(description="How it begins.")
    created_at: datetime
    last_used_at: datetime | None


class NewToken(BaseModel):
    """A token to make."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100, description="What it is for.")


class MadeToken(TokenView):
    """A token that was made just now."""

    token: str = Field(description="The token itself, which is never shown again.")


@router.get("")
def get_users(store: StoreDep) -> list[UserView]:
    """All accounts, by name."""
    with store.session(read_only=True) as session:
        return [_view(user) for user in list_users(session)]


@router.post("", status_code=201)
def post_user(request: Request, store: StoreDep, wanted: NewUser) -> UserView:
    """Make an account; 409 where the name is taken."""
    user = make_user(store, wanted.name, wanted.role, wanted.password)
    name_object(request, f"user {user.name} ({user.role})")
    return _view(user)


@router.patch("/{user_id}")
def patch_user(request: Request, store: StoreDep, user_id: Id, change: UserChange) -> UserView:
    """Change a role, disable or enable an account, set another password. The last admin stays one."""
    user = change_user(store, user_id, role=change.role, disabled=change.disabled, password=change.password)
    changed = ", ".join(sorted(name for name, value in change.model_dump().items() if value is not None))
    name_object(request, f"user {user.name}: {changed}")
    return _view(user)


@router.get("/{user_id}/tokens")
def get_tokens(store: StoreDep, user_id: Id) -> list[TokenView]:
    """The tokens of an account that work, the newest first."""
    with store.session(read_only=True) as session:
        return [TokenView.model_validate(token) for token in tokens_of(session, user_id)]


@router.post("/{user_id}/tokens", status_code=201)
def post_token(request: Request, store: StoreDep, user_id: Id, wanted: NewToken) -> MadeToken:
    """Make a token, which does all that its account may do. This answer alone shows it."""
    made = make_token(store, user_id, wanted.name)
    name_object(request, f"token {made.token.hint}… of user {user_id}")
    return MadeToken(**TokenView.model_validate(made.token).model_dump(), token=made.secret)


@router.delete("/{user_id}/tokens/{token_id}", status_code=204)
def delete_token(store: StoreDep, user_id: Id, token_id: Id) -> None:
    """Revoke a token: from now on it opens nothing."""
    with store.session() as session:
        get_user(session, user_id)
        revoke_token(session, user_id, token_id)


def _view(user: User) -> UserView:
    return UserView.model_validate(
        {
            "id": user.id,
            "name": user.name,
            "role": user.role,
            "disabled": user.disabled_at is not None,
            "has_password": bool(user.password_hash),
            "created_at": user.created_at,
        }
    )
