"""`python -m workers users`: accounts on the command line."""

import io
import sys

import pytest

from db.accounts.audit import list_entries
from db.accounts.credentials import find_token
from db.accounts.users import find_user
from settings import get_settings
from workers.__main__ import main
from workers.accounts.signing_in import Attempt, sign_in
from workers.errors import LoginRefused

PASSWORD = "correct horse battery"


@pytest.fixture
def call(monkeypatch, capsys):
    def run(*words: str, typed: str = PASSWORD + "\n") -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["workers", "users", *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        status = main()
        said = capsys.readouterr()
        assert PASSWORD not in said.out + said.err
        return status, (said.out if status == 0 else said.err).strip()

    return run


def signs_in(installation, password: str = PASSWORD) -> bool:
    try:
        return sign_in(installation.store, get_settings(), Attempt("ada", password, "here"))[0].name == "ada"
    except LoginRefused:
        return False


def test_the_first_admin_is_made_before_the_app_was_ever_started(configured, call):
    assert call("add", "Ada", "--role", "admin") == (0, "ada is admin.")
    assert call("list") == (0, "ada: admin, 0 tokens")


def test_an_account_is_changed_in_every_way(installation, call):
    call("add", "boss", "--role", "admin")
    call("add", "ada", "--role", "viewer")
    assert signs_in(installation)
    assert call("role", "ada", "annotator") == (0, "ada is annotator.")
    assert call("passwd", "ADA", typed="another horse battery\n")[0] == 0
    assert not signs_in(installation) and signs_in(installation, "another horse battery")
    assert call("disable", "ada") == (0, "ada is disabled.")
    assert not signs_in(installation, "another horse battery")
    assert "ada: annotator, 0 tokens, disabled" in call("list")[1]
    assert call("enable", "ada") == (0, "ada can sign in.")
    assert signs_in(installation, "another horse battery")


def test_a_token_is_shown_once_and_works(installation, call):
    call("add", "robot", "--role", "annotator", "--no-password")
    status, secret = call("token", "robot", "--for", "line 3")
    with installation.store.session(read_only=True) as session:
        token = find_token(session, secret)
        assert status == 0 and token is not None and token.name == "line 3"
    assert call("list") == (0, "robot: annotator, 1 token, no password")


def test_a_token_reaches_as_far_as_is_said(installation, call):
    call("add", "robot", "--role", "annotator", "--no-password")
    words = ("--scope", "line", "--project", "default", "--until", "2999-12-31")
    _, secret = call("token", "robot", *words)
    with installation.store.session(read_only=True) as session:
        token = find_token(session, secret)
        assert token is not None and token.project is not None and token.ends_at is not None
        assert (token.scope, token.project.name) == ("line", "default")
        assert token.ends_at.isoformat() == "3000-01-01T00:00:00+00:00"


def test_what_is_done_on_the_command_line_is_in_the_audit_log(installation, call):
    call("add", "ada", "--role", "admin")
    with installation.store.session(read_only=True) as session:
        [entry] = list_entries(session)
    assert (entry.via, entry.action, entry.object) == ("command", "users add", "user ada")


@pytest.mark.parametrize(
    ("words", "typed", "said"),
    [
        (("add", "two words", "--role", "admin"), PASSWORD, "no spaces"),
        (("add", "ada", "--role", "admin"), "short", "10 to 500 characters"),
        (("passwd", "nobody"), PASSWORD, "There is no user 'nobody'"),
        (("disable", "boss"), "", "the only admin"),
        (("token", "boss", "--project", "none such"), "", "There is no project 'none such'"),
        (("token", "boss", "--until", "2001-02-03"), "", "Choose an end that lies ahead"),
        (("add", "BOSS", "--role", "viewer"), PASSWORD, "There is a user 'boss' already"),
    ],
)
def test_what_can_not_be_done_is_one_line(installation, call, words, typed, said):
    call("add", "boss", "--role", "admin")
    status, error = call(*words, typed=typed + "\n")
    assert status == 2 and said in error and len(error.splitlines()) == 1
    with installation.store.session(read_only=True) as session:
        assert find_user(session, "ada") is None
