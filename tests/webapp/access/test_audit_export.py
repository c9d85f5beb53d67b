"""The audit log as CSV."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from db.store import Store
from db.tables.accounts import AuditEntry
from tests.webapp.people import People
from workers.accounts import audit_table

NOON = datetime(2001, 2, 3, 12, tzinfo=UTC)
ACTION = 'PUT "x",\n/api'


@pytest.fixture(scope="module")
def written(people: People) -> Store:
    """Five entries of a day long ago, an hour apart, the last of someone else."""
    store = people.installation.store
    with store.session() as session:
        for hour in range(5):
            session.add(
                AuditEntry(
                    at=NOON + timedelta(hours=hour),
                    user_name="eve" if hour == 4 else "ada",
                    via="token",
                    address="::1",
                    action=ACTION,
                    object=f"=cmd|{hour}",
                )
            )
    return store


def exported(people: People, **params: str) -> list[dict[str, str]]:
    answer = people.clients["admin"].get("/api/v1/audit/export", params=params)
    assert answer.status_code == 200 and answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="audit.csv"'
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def test_the_entries_of_a_time_are_a_table_the_oldest_first(written: Store, people: People) -> None:
    rows = exported(people, at_from="2001-02-03T13:00:00Z", at_before="2001-02-03T16:00:00Z")
    assert [row["at"] for row in rows] == [f"2001-02-03T{hour}:00:00+00:00" for hour in (13, 14, 15)]
    assert {(row["user_name"], row["via"], row["address"], row["action"]) for row in rows} == {
        ("ada", "token", "::1", ACTION)
    }
    assert [row["object"] for row in rows] == [f"'=cmd|{hour}" for hour in (1, 2, 3)], "no spreadsheet calculates them"


def test_the_list_takes_the_same_filters(written: Store, people: People) -> None:
    params = {"at_from": "2001-02-03T00:00:00Z", "at_before": "2001-02-04T00:00:00Z", "user": "eve"}
    assert len(people.clients["admin"].get("/api/v1/audit", params=params).json()) == 1
    assert [row["user_name"] for row in exported(people, **params)] == ["eve"]


def test_it_is_read_in_parts(written: Store, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = exported(people)
    monkeypatch.setattr(audit_table, "_BATCH", 2)
    assert exported(people) == whole and len(whole) >= 5


def test_it_is_for_admins(people: People) -> None:
    assert people.clients["annotator"].get("/api/v1/audit/export").status_code == 403
