"""`python -m workers users …`: accounts on the command line, by whoever can read the server's settings."""

import argparse
import getpass
import os
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

from db.accounts.credentials import TokenReach
from db.accounts.users import find_user, list_users, tokens_of
from db.errors import BadName, BadSetting, NameTaken, NotFound
from db.projects.projects import find_project
from db.store import Store
from db.tables.accounts import ROLES, SCOPES, User
from workers.accounts.managing import change_user, make_token, make_user, note
from workers.errors import BadPassword

REFUSALS = (BadName, BadPassword, BadSetting, NameTaken, NotFound)


def add_parser(
    subjects: "argparse._SubParsersAction[argparse.ArgumentParser]", do: Callable[[argparse.Namespace], int]
) -> None:
    """Add `users`, which calls `do`, and what can be done with them to the command line."""
    users = subjects.add_parser("users", help="accounts")
    users.set_defaults(do=do)
    actions = users.add_subparsers(dest="action", required=True)
    add = _named(actions, "add", "make an account; asks for its password")
    add.add_argument("--role", required=True, choices=ROLES, help="what it may do")
    add.add_argument("--no-password", action="store_true", help="tokens alone open it")
    _named(actions, "passwd", "set another password; asks for it")
    _named(actions, "role", "change what an account may do").add_argument("role", choices=ROLES)
    _named(actions, "disable", "let it sign in nowhere; its tokens open nothing")
    _named(actions, "enable", "let it sign in again")
    token = _named(actions, "token", "make a token for programs and show it once")
    token.add_argument("--for", dest="purpose", default="command line", help="what it is for (default %(default)s)")
    token.add_argument("--scope", choices=SCOPES, default="all", help="how far it reaches (default %(default)s)")
    token.add_argument("--project", metavar="PROJECT", help="for this project alone; without: for all")
    token.add_argument(
        "--until", type=date.fromisoformat, metavar="YYYY-MM-DD", help="the last day, in UTC, on which it works"
    )
    actions.add_parser("list", help="show all accounts")


def run(store: Store, arguments: argparse.Namespace) -> str:
    """Do what the command line says; returns what to print. Raises one of REFUSALS."""
    if arguments.action == "list":
        return _listed(store)
    if arguments.action == "add":
        password = None if arguments.no_password else ask_password()
        user = make_user(store, arguments.name, arguments.role, password)
        said = f"{user.name} is {user.role}."
    else:
        said = _change(store, _user(store, arguments.name), arguments)
    note(
        store,
        user_name=getpass.getuser(),
        via="command",
        address=os.uname().nodename,
        action=f"users {arguments.action}",
        object=f"user {arguments.name}",
    )
    return said


def ask_password() -> str:
    """From the terminal, twice and unseen; or the first line of what is piped in. Raises BadPassword."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        raise BadPassword("The two passwords differ. Nothing was changed.")
    return password


def _change(store: Store, user: User, arguments: argparse.Namespace) -> str:
    if arguments.action == "token":
        return make_token(store, user.id, arguments.purpose, _reach(store, arguments)).secret
    if arguments.action == "passwd":
        change_user(store, user.id, password=ask_password())
        return f"{user.name} has another password, and is signed out everywhere."
    if arguments.action == "role":
        return f"{user.name} is {change_user(store, user.id, role=arguments.role).role}."
    disabled = arguments.action == "disable"
    change_user(store, user.id, disabled=disabled)
    return f"{user.name} is disabled." if disabled else f"{user.name} can sign in."


def _reach(store: Store, arguments: argparse.Namespace) -> TokenReach:
    name, last = arguments.project, arguments.until
    ends_at = None if last is None else datetime.combine(last + timedelta(days=1), time(), UTC)
    if name is None:
        return TokenReach(arguments.scope, None, ends_at)
    with store.session(read_only=True) as session:
        project = find_project(session, name)
    if project is None:
        raise NotFound("project", repr(name))
    return TokenReach(arguments.scope, project.id, ends_at)


def _user(store: Store, name: str) -> User:
    with store.session(read_only=True) as session:
        user = find_user(session, name)
    if user is None:
        raise NotFound("user", repr(name))
    return user


def _listed(store: Store) -> str:
    with store.session(read_only=True) as session:
        rows = [(user, len(tokens_of(session, user.id))) for user in list_users(session)]
    lines = []
    for user, tokens in rows:
        facts = [user.role, f"{tokens} token{'' if tokens == 1 else 's'}"]
        facts += [] if user.password_hash else ["no password"]
        facts += [] if user.disabled_at is None else ["disabled"]
        lines.append(f"{user.name}: {', '.join(facts)}")
    return "\n".join(lines) or "There are no accounts."


def _named(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, help: str
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=help)
    parser.add_argument("name", metavar="NAME", help="the account's name; capitals do not matter")
    return parser
