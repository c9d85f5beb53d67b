"""Databases of both kinds, for what must hold in each."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.db.conftest import database, postgres, schema_url, sqlite_file, url

__all__ = ["database", "postgres", "postgres_url", "sqlite_file", "url"]


@pytest.fixture
def postgres_url(postgres: Engine | None) -> Iterator[str]:
    """An empty PostgreSQL database of its own."""
    with schema_url(postgres) as made:
        yield made
