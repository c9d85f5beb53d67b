"""Databases of both kinds, for what must hold in each."""

from tests.db.conftest import database, postgres, url

__all__ = ["database", "postgres", "url"]
