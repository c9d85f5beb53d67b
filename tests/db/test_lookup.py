"""One row by its id: any integer may be asked for."""

import pytest

from db.errors import NotFound
from db.lookup import get_row
from db.session import Database
from db.tables.core import Project, PromptVersion
from tests.db.making import make_project


def test_a_row_is_found_by_its_id(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
    with database.session(read_only=True) as session:
        assert get_row(session, Project, project_id).name == "default"


def test_a_locked_row_is_read_anew(database: Database) -> None:
    with database.session() as session:
        project = get_row(session, Project, make_project(session))
        session.connection().exec_driver_sql("UPDATE projects SET name = 'renamed'")
        assert get_row(session, Project, project.id, lock=True).name == "renamed"


@pytest.mark.parametrize("row_id", [1, 0, -1, 2**31, 2**63, 10**30])
def test_no_id_breaks_the_question(database: Database, row_id: int) -> None:
    with database.session() as session, pytest.raises(NotFound, match=f"no prompt version {row_id}"):
        get_row(session, PromptVersion, row_id)
