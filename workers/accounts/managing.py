"""Accounts as people manage them, on the page, over REST and on the command line."""

from db.accounts import users
from db.accounts.audit import add_entry
from db.accounts.credentials import ALL_RIGHTS, NewToken, TokenReach, add_token
from db.store import Store
from db.tables.accounts import User
from workers.accounts.passwords import hash_password

FIRST_ADMIN = "python -m workers users add NAME --role admin"


def make_user(store: Store, name: str, role: str, password: str | None = None) -> User:
    """A new user; without a password only tokens open the account.

    Raises:
        BadName, NameTaken: another name is needed.
        BadSetting: there is no such role.
        BadPassword: it is too short or too long.
    """
    users.proper_user_name(name)  # before the time that hashing takes
    password_hash = hash_password(password) if password is not None else ""
    with store.session() as session:
        return users.add_user(session, name, role, password_hash)


def change_user(
    store: Store, user_id: int, *, role: str | None = None, disabled: bool | None = None, password: str | None = None
) -> User:
    """Change what is given; see `db.accounts.users.change_user`. Raises BadPassword too."""
    password_hash = hash_password(password) if password is not None else None
    with store.session() as session:
        return users.change_user(session, user_id, role=role, disabled=disabled, password_hash=password_hash)


def make_token(store: Store, user_id: int, name: str, reach: TokenReach = ALL_RIGHTS) -> NewToken:
    """A new token; its secret is never shown again. Raises NotFound, BadSetting."""
    with store.session() as session:
        return add_token(session, user_id, name, reach)


def note(store: Store, *, user_name: str, via: str, address: str, action: str, object: str = "") -> None:
    """Add an entry to the audit log, in a transaction of its own."""
    with store.session() as session:
        add_entry(session, user_name=user_name, via=via, address=address, action=action, object=object)
