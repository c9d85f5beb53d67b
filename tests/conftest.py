"""An installation of its own for every test that asks for one: folder, database, blobs, and a tiny backbone."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

# Before anything of ours is imported: Celery's app is made at import, and must not find the user's own data folder.
os.environ["ANOMALYLOOP_HOME"] = tempfile.mkdtemp(prefix="anomalyloop-tests-")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from db.session import migrate
from db.store import Store
from settings import get_settings
from workers import engine_host
from workers.context import get_store
from workers.projects import ensure_default_project


@dataclass(frozen=True)
class Installation:
    """A migrated, empty installation in this process."""

    home: Path
    store: Store
    project_id: int


@pytest.fixture(scope="session")
def tiny_backbone(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The value for ANOMALYLOOP_BACKBONE."""
    from tests.tiny_backbone import write_tiny_backbone

    return write_tiny_backbone(tmp_path_factory.mktemp("backbone"))


@pytest.fixture
def configured(tmp_path: Path, tiny_backbone: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Settings for an empty data folder, which is returned; nothing is in it yet."""
    home = tmp_path / "home"
    for name in [name for name in os.environ if name.startswith("ANOMALYLOOP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ANOMALYLOOP_HOME", str(home))
    monkeypatch.setenv("ANOMALYLOOP_BACKBONE", tiny_backbone)
    monkeypatch.setenv("ANOMALYLOOP_PRECISION", "fp32")  # the same figures on every machine
    monkeypatch.setattr(engine_host, "_host", engine_host._Host())
    get_settings.cache_clear()
    get_store.cache_clear()
    yield home
    get_settings.cache_clear()
    get_store.cache_clear()


@pytest.fixture
def installation(configured: Path) -> Iterator[Installation]:
    """A migrated installation with the project `default` and its shipped prompts."""
    migrate(get_settings().resolved_database_url)
    store = get_store()
    yield Installation(configured, store, ensure_default_project(store, engine_host.get_engine()))
    store.database.close()
