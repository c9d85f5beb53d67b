"""Ready means: whatever one asks for next is taken."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from db.projects import ensure_project
from db.session import migrate
from db.store import Store
from settings import get_settings
from workers.context import get_store
from workers.engine_host import get_engine
from workers.projects import DEFAULT_PROJECT, ensure_shipped_prompts
from workers.readiness import Component, readiness


@pytest.fixture
def first_start(configured: Path) -> Iterator[Store]:
    """A new installation, whose model has just been loaded and has given its prompts to no project yet."""
    migrate(get_settings().resolved_database_url)
    store = get_store()
    with store.session() as session:
        ensure_project(session, DEFAULT_PROJECT)
    get_engine()
    yield store
    store.database.close()


def test_a_model_whose_prompts_are_not_stored_yet_is_not_ready(first_start: Store) -> None:
    assert not engine(first_start).ready
    assert "prompts are being stored" in engine(first_start).detail
    ensure_shipped_prompts(first_start, get_engine())
    assert engine(first_start) == Component("engine", True, "tiny on cpu in fp32")


def engine(store: Store) -> Component:
    [found] = [component for component in readiness(store) if component.name == "engine"]
    return found
