"""The store that this process works on, made once from the settings."""

from functools import lru_cache

from db.store import Store, open_store
from settings import get_settings


@lru_cache(maxsize=1)
def get_store() -> Store:
    """Database and blobs of this process."""
    settings = get_settings()
    return open_store(settings.resolved_database_url, settings.resolved_blob_url)
