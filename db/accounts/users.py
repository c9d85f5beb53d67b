"""Users: their names, roles and password hashes."""

import unicodedata

from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session, selectinload

from db.errors import BadName, BadSetting, NameTaken
from db.insert import insert_or_find
from db.lookup import get_row
from db.session import Database
from db.tables.accounts import ROLES, ApiToken, SignIn, User
from db.tables.base import utc_now

_LONGEST_NAME = 100


class LastAdmin(BadSetting):
    """The only admin who can sign in was to be disabled, or to become something else."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} is the only admin who can sign in. Make another admin first.")


def proper_user_name(name: str) -> str:
    """The one spelling of a user's name: no matter how it is typed, capitals and composed letters are the same.

    Raises:
        BadName: no user can have this name.
    """
    proper = unicodedata.normalize("NFKC", name).casefold().strip()
    if not 0 < len(proper) <= _LONGEST_NAME or not proper.isprintable() or " " in proper:
        raise BadName(f"The name of a user has 1 to {_LONGEST_NAME} printable characters, no spaces. Choose another.")
    return proper


def add_user(session: Session, name: str, role: str, password_hash: str = "") -> User:
    """A new user. Raises BadName, BadSetting (no such role), NameTaken."""
    new = User(name=proper_user_name(name), role=known_role(role), password_hash=password_hash)
    user, added = insert_or_find(session, new, select(User).where(User.name == new.name))
    if not added:
        raise NameTaken(user.name, "user")
    return user


def get_user(session: Session, user_id: int) -> User:
    """The user of this id; raises NotFound."""
    return get_row(session, User, user_id)


def find_user(session: Session, name: str) -> User | None:
    """The user of this name, however it is spelt, if there is one."""
    try:
        proper = proper_user_name(name)
    except BadName:
        return None
    return session.scalars(select(User).where(User.name == proper)).one_or_none()


def list_users(session: Session) -> list[User]:
    """All users by name, disabled ones too."""
    return list(session.scalars(select(User).order_by(User.name)))


def count_admins(session: Session) -> int:
    """How many admins can sign in with a password."""
    able = select(func.count()).select_from(User).where(User.role == "admin", User.disabled_at.is_(None))
    return session.scalar(able.where(User.password_hash != "")) or 0


def has_admin(database: Database) -> bool:
    """Whether an admin can sign in; also asked of a database that was not brought up to date yet."""
    if not inspect(database.engine).has_table(User.__tablename__):
        return False
    with database.session(read_only=True) as session:
        return count_admins(session) > 0


def change_user(
    session: Session,
    user_id: int,
    *,
    role: str | None = None,
    disabled: bool | None = None,
    password_hash: str | None = None,
) -> User:
    """Change what is given and keep the rest. A new password, or disabling, ends all sign-ins of the user.

    Raises:
        NotFound: no such user.
        BadSetting: no such role.
        LastAdmin: nobody could manage users any more.
    """
    # All who change users queue on the first one: of two admins who disable each other, the second is refused.
    first = session.scalar(select(func.min(User.id)))
    if first is not None:
        get_row(session, User, first, lock=True)
    user = get_row(session, User, user_id, lock=True)
    admins = count_admins(session)
    if role is not None:
        user.role = known_role(role)
    if disabled is not None and disabled != (user.disabled_at is not None):
        user.disabled_at = utc_now() if disabled else None
    if password_hash is not None:
        user.password_hash = password_hash
    session.flush()
    if admins and not count_admins(session):
        raise LastAdmin(user.name)
    if password_hash is not None or disabled:
        for sign_in in session.scalars(select(SignIn).where(SignIn.user_id == user_id)):
            session.delete(sign_in)
    return user


def tokens_of(session: Session, user_id: int) -> list[ApiToken]:
    """The tokens of a user that were not revoked, those that have ended too, the newest first. Raises NotFound."""
    get_user(session, user_id)
    kept = select(ApiToken).where(ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None))
    return list(session.scalars(kept.options(selectinload(ApiToken.project)).order_by(ApiToken.id.desc())))


def known_role(role: str) -> str:
    """The same role; raises BadSetting where there is none of this name."""
    if role not in ROLES:
        raise BadSetting(f"There is no role {role!r}. The roles are {', '.join(ROLES)}.")
    return role
