"""Passwords: what is kept of them, and how they are compared."""

import pytest

from workers.accounts.passwords import hash_password, is_outdated, password_is
from workers.errors import BadPassword


def test_a_password_is_kept_as_argon2id_with_a_salt_of_its_own() -> None:
    first, second = hash_password("correct horse"), hash_password("correct horse")
    assert first != second and first.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert password_is(first, "correct horse") and not password_is(first, "Correct horse")
    assert not is_outdated(first) and is_outdated(first.replace("t=3", "t=2"))


@pytest.mark.parametrize("password", ["", "nine char", "x" * 501])
def test_short_and_endless_passwords_are_refused(password: str) -> None:
    with pytest.raises(BadPassword, match="10 to 500 characters"):
        hash_password(password)


@pytest.mark.parametrize("kept", ["", "nonsense", "$argon2id$v=19$m=65536,t=3,p=4$AAAA$"])
def test_nothing_opens_an_account_without_a_password(kept: str) -> None:
    assert not password_is(kept, "") and not password_is(kept, "nonsense")
