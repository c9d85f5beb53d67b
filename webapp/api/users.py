"""`/users`: accounts and their tokens, for admins. Nothing here ever shows a password, or a token a second time."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from db.accounts.credentials import TokenReach, revoke_token
from db.accounts.users import get_user, list_users, tokens_of
from db.tables.accounts import ApiToken, User
from webapp.access.gate import name_object
from webapp.access.projects import ProjectsDep
from webapp.api.dependencies import Id, Moment, StoreDep
from webapp.api.me import RoleName, ScopeName
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
    """A token that was not revoked; it may have ended."""

    id: int
    name: str
    hint: str = Field(description="How it begins.")
    created_at: datetime
    last_used_at: datetime | None
    scope: ScopeName = Field(
        description="`line`: upload and inspect alone; `read`; `annotate`: read, upload, inspect and correct; `all`."
    )
    project: str | None = Field(description="For this project alone; null: for all that the account sees.")
    ends_at: datetime | None = Field(description="From then on it opens nothing; null: it has no end.")


class NewToken(BaseModel):
    """A token to make."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100, description="What it is for.")
    scope: ScopeName = Field("all", description="How far it reaches into what its account may do.")
    project: str | None = Field(None, description="For this project alone; null: for all that the account sees.")
    ends_at: Moment | None = Field(None, description="From then on it opens nothing; null: it has no end.")


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
    """The tokens of an account that were not revoked, the newest first."""
    with store.session(read_only=True) as session:
        return [TokenView.model_validate(_token(token)) for token in tokens_of(session, user_id)]


@router.post("/{user_id}/tokens", status_code=201)
def post_token(request: Request, store: StoreDep, projects: ProjectsDep, user_id: Id, wanted: NewToken) -> MadeToken:
    """Make a token, which does what its account may do, as far as its scope reaches. This answer alone shows it."""
    project_id = None if wanted.project is None else projects.named(wanted.project).id
    made = make_token(store, user_id, wanted.name, TokenReach(wanted.scope, project_id, wanted.ends_at))
    name_object(request, f"token {made.token.hint}… of user {user_id}, {wanted.scope}")
    return MadeToken.model_validate({**_token(made.token), "token": made.secret})


@router.delete("/{user_id}/tokens/{token_id}", status_code=204)
def delete_token(store: StoreDep, user_id: Id, token_id: Id) -> None:
    """Revoke a token: from now on it opens nothing."""
    with store.session() as session:
        get_user(session, user_id)
        revoke_token(session, user_id, token_id)


def _token(token: ApiToken) -> dict[str, Any]:
    names = ("id", "name", "hint", "created_at", "last_used_at", "scope", "ends_at")
    return {name: getattr(token, name) for name in names} | {"project": token.project and token.project.name}


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
