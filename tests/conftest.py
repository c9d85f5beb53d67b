"""An installation of its own for every test that asks for one: folder, database, blobs, and a tiny backbone."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def settings_for(home: Path, backbone: str) -> Iterator[None]:
    """This process works on the data folder `home`, with nothing else set."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("ANOMALYLOOP_")]:
            patch.delenv(name)
        patch.setenv("ANOMALYLOOP_HOME", str(home))
        patch.setenv("ANOMALYLOOP_BACKBONE", backbone)
        patch.setenv("ANOMALYLOOP_PRECISION", "fp32")  # the same figures on every machine
        patch.setattr(engine_host, "_host", engine_host._Host())
        get_settings.cache_clear()
        get_store.cache_clear()
        yield
    get_settings.cache_clear()
    get_store.cache_clear()


@contextmanager
def migrated(home: Path) -> Iterator[Installation]:
    """An installation with the project `default` and its shipped prompts, in the folder that the settings name."""
    migrate(get_settings().resolved_database_url)
    store = get_store()
    yield Installation(home, store, ensure_default_project(store, engine_host.get_engine()))
    store.database.close()


@pytest.fixture
def configured(tmp_path: Path, tiny_backbone: str) -> Iterator[Path]:
    """Settings for an empty data folder, which is returned; nothing is in it yet."""
    with settings_for(tmp_path / "home", tiny_backbone):
        yield tmp_path / "home"


@pytest.fixture
def installation(configured: Path) -> Iterator[Installation]:
    """A migrated installation of one's own."""
    with migrated(configured) as made:
        yield made
