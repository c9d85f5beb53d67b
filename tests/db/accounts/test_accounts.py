"""Users, sessions, tokens, counted log-ins and the audit log, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from db.accounts import credentials
from db.accounts.audit import AuditFilter, add_entry, list_entries
from db.accounts.login_attempts import ADDRESS_FACTOR, begin_attempt, counters, fail_attempt, give_back, must_wait
from db.accounts.users import LastAdmin, add_user, change_user, find_user, has_admin, list_users, tokens_of
from db.errors import BadName, BadSetting, NameTaken, NotFound
from db.session import Database
from db.tables.accounts import ApiToken, LoginAttempts, SignIn, User
from db.tables.base import utc_now
from tests.db.making import at_once

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def make_user(database: Database, name: str = "ada", role: str = "admin", password_hash: str = "x") -> User:
    with database.session() as session:
        return add_user(session, name, role, password_hash)


@pytest.mark.parametrize(("written", "kept"), [("Ada", "ada"), (" ada ", "ada"), ("민지", "민지"), ("민지", "민지")])
def test_a_name_has_one_spelling(sqlite: Database, written: str, kept: str) -> None:
    assert make_user(sqlite, written).name == kept
    with sqlite.session(read_only=True) as session:
        found = find_user(session, written)
        assert found is not None and found.name == kept


@pytest.mark.parametrize("name", ["", " ", "two words", "a" * 101, "line\nbreak", "zero\u200bwidth"])
def test_names_that_nobody_could_tell_apart_are_refused(sqlite: Database, name: str) -> None:
    with pytest.raises(BadName):
        make_user(sqlite, name)
    with sqlite.session(read_only=True) as session:
        assert find_user(session, name) is None


def test_a_name_is_given_once_even_to_those_who_ask_together(database: Database) -> None:
    outcomes = at_once(4, lambda _: make_user(database, "ada"))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NameTaken"] * 3 + ["User"]
    with pytest.raises(NameTaken, match="There is a user 'ada' already"):
        make_user(database, "ADA")
    with pytest.raises(BadSetting, match="The roles are viewer, annotator, admin"):
        make_user(database, "bob", role="owner")


def test_the_last_admin_stays_even_when_two_disable_each_other(database: Database) -> None:
    ids = [make_user(database, name).id for name in ("ada", "bob")]

    def disable(number: int) -> User:
        with database.session() as session:
            return change_user(session, ids[number], disabled=True)

    outcomes = at_once(2, disable)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["LastAdmin", "User"]
    with database.session(read_only=True) as session:
        assert [user.disabled_at is None for user in list_users(session)].count(True) == 1
    assert has_admin(database)


def test_an_admin_without_a_password_is_no_admin_who_can_sign_in(database: Database) -> None:
    ada = make_user(database)
    make_user(database, "robot", password_hash="")
    with pytest.raises(LastAdmin), database.session() as session:
        change_user(session, ada.id, role="viewer")


def test_a_database_from_before_there_were_accounts_has_no_admin(url: str) -> None:
    database = Database(url)
    assert not has_admin(database)
    database.close()


def test_a_session_is_found_by_its_secret_until_it_ends(database: Database) -> None:
    ada = make_user(database)
    with database.session() as session:
        secret = credentials.add_sign_in(session, ada.id, HOUR)
    with database.session() as session:
        found = credentials.find_sign_in(session, secret)
        assert found is not None and found.user.name == "ada" and found.secret_sha256 != secret
        assert credentials.find_sign_in(session, secret + "x") is None
        credentials.prolong(session, found.id, 2 * HOUR)
    with database.session() as session:
        prolonged = credentials.find_sign_in(session, secret)
        assert prolonged is not None and prolonged.expires_at - utc_now() > HOUR
        session.execute(update(SignIn).values(expires_at=utc_now()))
    with database.session() as session:
        assert credentials.find_sign_in(session, secret) is None
        credentials.add_sign_in(session, ada.id, HOUR)
    with database.session(read_only=True) as session:
        assert session.query(SignIn).count() == 1, "those that ended are cleared away"


@pytest.mark.parametrize("change", [{"password_hash": "y"}, {"disabled": True}])
def test_another_password_and_disabling_end_the_sessions_of_a_user_alone(database: Database, change: dict) -> None:
    ada, bob = make_user(database), make_user(database, "bob")
    with database.session() as session:
        hers, his = (credentials.add_sign_in(session, one.id, HOUR) for one in (ada, bob))
        change_user(session, ada.id, **change)
        assert credentials.find_sign_in(session, hers) is None
        assert credentials.find_sign_in(session, his) is not None


def test_a_token_is_found_by_its_secret_until_it_is_revoked(database: Database) -> None:
    ada, bob = make_user(database), make_user(database, "bob")
    with database.session() as session:
        made = credentials.add_token(session, ada.id, "line 3")
        found = credentials.find_token(session, made.secret)
        assert found is not None and found.user.id == ada.id and credentials.use_is_old(found)
        credentials.note_use(session, found.id)
        assert not credentials.use_is_old(found) and made.secret.startswith(found.hint)
        assert [token.id for token in tokens_of(session, ada.id)] == [found.id] and tokens_of(session, bob.id) == []
        for user_id, token_id in ((bob.id, found.id), (ada.id, 999), (ada.id, 2**40)):
            with pytest.raises(NotFound):
                credentials.revoke_token(session, user_id, token_id)
        credentials.revoke_token(session, ada.id, found.id)
        assert credentials.find_token(session, made.secret) is None and tokens_of(session, ada.id) == []
        assert session.query(ApiToken).count() == 1, "the row stays, so that nothing dangles"


def attempt(database: Database, name: str = "ada", address: str = "10.0.0.1", limit: int = 3) -> bool:
    """Whether the password would be looked at; it is wrong."""
    counted = counters(name, address, limit)
    with database.session() as session:
        if begin_attempt(session, counted, wait=MINUTE) is not None:
            return False
    with database.session() as session:
        fail_attempt(session, counted, wait=MINUTE)
    return True


def begun(database: Database, name: str = "ada", address: str = "10.0.0.1", limit: int = 3) -> bool:
    """Whether the password would be looked at; it is under way."""
    with database.session() as session:
        return begin_attempt(session, counters(name, address, limit), wait=MINUTE) is None


def was_right(database: Database, name: str = "ada", address: str = "10.0.0.1", limit: int = 3) -> None:
    with database.session() as session:
        give_back(session, counters(name, address, limit))


def test_of_many_guesses_at_once_no_more_are_looked_at_than_one_after_the_other(database: Database) -> None:
    outcomes = at_once(8, lambda _: begun(database))
    assert outcomes.count(True) == 3 and outcomes.count(False) == 5


def test_what_has_many_log_ins_under_way_waits_for_seconds_and_is_not_locked(database: Database) -> None:
    counted = counters("ada", "10.0.0.1", 3)
    for _ in range(3):
        assert begun(database)
    with database.session() as session:
        until = begin_attempt(session, counted, wait=MINUTE)
        assert until is not None and until - utc_now() < MINUTE / 2
        assert must_wait(session, counted) is None
    was_right(database)
    assert begun(database)


def test_names_and_addresses_are_counted_apart_and_an_address_with_many_names_too(database: Database) -> None:
    assert [attempt(database) for _ in range(4)] == [True, True, True, False]
    assert attempt(database, "bob") and attempt(database, address="10.0.0.2")
    others = [attempt(database, f"name{number}") for number in range(3 * ADDRESS_FACTOR)]
    assert others[0] and not others[-1], "one address tries one password with many names"
    assert attempt(database, "bob", address="10.0.0.2")


def test_a_right_password_gives_its_attempt_back_to_the_address_too(database: Database) -> None:
    for number in range(3 * ADDRESS_FACTOR + 10):
        assert begun(database, f"name{number}"), number
        was_right(database, f"name{number}")


def test_a_right_password_forgets_the_failures_and_the_wait_ends_by_itself(database: Database) -> None:
    for _ in range(2):
        attempt(database)
    assert begun(database)
    was_right(database)
    assert [attempt(database) for _ in range(4)] == [True, True, True, False]
    with database.session() as session:
        session.execute(update(LoginAttempts).values(locked_until=utc_now()))
    assert attempt(database)


def test_who_has_to_wait_writes_nothing(database: Database) -> None:
    for _ in range(3):
        attempt(database)
    with database.session(read_only=True) as session:
        before = session.query(LoginAttempts.name, LoginAttempts.failures).all()
        assert must_wait(session, counters("ada", "10.0.0.1", 3)) is not None
    assert not attempt(database)
    with database.session(read_only=True) as session:
        assert session.query(LoginAttempts.name, LoginAttempts.failures).all() == before


def test_failures_of_long_ago_do_not_count(database: Database) -> None:
    attempt(database)
    attempt(database)
    with database.session() as session:
        session.execute(update(LoginAttempts).values(first_at=utc_now() - 2 * MINUTE))
    assert [attempt(database) for _ in range(4)] == [True, True, True, False]


def test_the_audit_log_is_read_from_its_newest_entry_on(database: Database) -> None:
    with database.session() as session:
        for number in range(3):
            who = "ada" if number else "n" * 300
            add_entry(session, user_name=who, via="session", address="::1", action="x" * 300, object=f"image {number}")
    with database.session(read_only=True) as session:
        newest = list_entries(session, limit=2)
        assert [entry.object for entry in newest] == ["image 2", "image 1"]
        [oldest] = list_entries(session, before=newest[-1].id)
        assert oldest.object == "image 0" and len(oldest.user_name) == 100 and len(oldest.action) == 200
        assert len(list_entries(session, AuditFilter("ada"))) == 2
