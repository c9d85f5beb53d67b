"""An installation of its own for every test that asks for one: folder, database, blobs, and a tiny backbone."""

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# Before anything of ours is imported: Celery's app is made at import, and must not find the user's own data folder.
os.environ["ANOMALYLOOP_HOME"] = tempfile.mkdtemp(prefix="anomalyloop-tests-")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from db.migrate import migrate
from db.projects.projects import find_project
from db.store import Store
from settings import get_settings
from workers.context import get_store
from workers.projects.shipped_prompts import DEFAULT_PROJECT, ensure_default_project
from workers.scoring import engine_host

if TYPE_CHECKING:
    from engine.backbone.clip import Backbone


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


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, tiny_backbone: str) -> Path:
    """A migrated data folder with the project `default` and its shipped prompts; every installation is a copy of it."""
    home = tmp_path_factory.mktemp("template") / "home"
    with settings_for(home, tiny_backbone):
        migrate(get_settings().resolved_database_url)
        ensure_default_project(get_store(), engine_host.get_engine())
        get_store().database.close()
    return home


@contextmanager
def settings_for(home: Path, backbone: str) -> Iterator[None]:
    """This process works on the data folder `home`, with nothing else set and no engine yet."""
    assert not scorers(), "another installation's scorer is at work: it would meet these settings"
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("ANOMALYLOOP_")]:
            patch.delenv(name)
        patch.setenv("ANOMALYLOOP_HOME", str(home))
        patch.setenv("ANOMALYLOOP_BACKBONE", backbone)
        patch.setenv("ANOMALYLOOP_PRECISION", "fp32")  # the same figures on every machine
        patch.setattr(engine_host, "_host", engine_host._Host())
        patch.setattr("engine.backbone.loading.load_backbone", _frozen_backbones())
        get_settings.cache_clear()
        get_store.cache_clear()
        yield
    get_settings.cache_clear()
    get_store.cache_clear()


@cache
def _frozen_backbones() -> Callable[..., "Backbone"]:
    """`load_backbone`, which reads a file once: nobody changes what it gives."""
    from engine.backbone.loading import load_backbone

    return cache(load_backbone)


@contextmanager
def installed(home: Path, template: Path) -> Iterator[Installation]:
    """A copy of the template in the folder that the settings name, with its engine loaded."""
    shutil.copytree(template, home)
    engine_host.get_engine()
    store = get_store()
    with store.session(read_only=True) as session:
        project = find_project(session, DEFAULT_PROJECT)
        assert project is not None
    yield Installation(home, store, project.id)
    for scorer in scorers():  # one that was stopped may still be at its last image
        scorer.join(60)
    store.database.close()


def scorers() -> list[threading.Thread]:
    """The scoring threads of this process that have not ended yet."""
    return [thread for thread in threading.enumerate() if thread.name == "scoring"]


@pytest.fixture
def configured(tmp_path: Path, tiny_backbone: str) -> Iterator[Path]:
    """Settings for an empty data folder, which is returned; nothing is in it yet."""
    with settings_for(tmp_path / "home", tiny_backbone):
        yield tmp_path / "home"


@pytest.fixture
def installation(configured: Path, template: Path) -> Iterator[Installation]:
    """A migrated installation of one's own."""
    with installed(configured, template) as made:
        yield made
