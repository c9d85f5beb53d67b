"""People of every role, with and without an account, who call REST."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from httpx import Client

from db.accounts.users import find_user
from db.tables.accounts import User
from settings import get_settings
from tests.conftest import Installation
from workers.accounts.managing import make_token, make_user
from workers.accounts.signing_in import Attempt, sign_in

PASSWORD = "correct horse battery"
ROLES = ("viewer", "annotator", "admin")


@dataclass(frozen=True)
class People:
    """An installation with accounts.

    Attributes:
        installation: where they are.
        users: role → the user who has it, and whose name it is too.
        clients: how each calls: `nobody`; a role, signed in as a browser is; `token`, the annotator's program.
    """

    installation: Installation
    users: dict[str, User]
    clients: dict[str, Client]


@contextmanager
def people_of(installation: Installation, make_client: Callable[[], Client]) -> Iterator[People]:
    """A user of every role, and the clients with which they and others call."""
    users = {role: _user(installation, role) for role in ROLES}
    clients = {who: make_client() for who in ("nobody", *ROLES, "token")}
    for role in ROLES:
        sign_browser_in(clients[role], installation, role)
    secret = make_token(installation.store, users["annotator"].id, "tests").secret
    clients["token"].headers["authorization"] = f"Bearer {secret}"
    yield People(installation, users, clients)


def _user(installation: Installation, role: str) -> User:
    with installation.store.session(read_only=True) as session:
        found = find_user(session, role)
    return found or make_user(installation.store, role, role, PASSWORD)


def sign_browser_in(client: Client, installation: Installation, name: str) -> None:
    """Give the client the cookie of a browser that is signed in, and what browsers say of the page that they show."""
    _, secret = sign_in(installation.store, get_settings(), Attempt(name, PASSWORD, "testclient"))
    client.cookies.set("anomalyloop", secret)
    client.headers["origin"] = str(client.base_url).rstrip("/")
