"""The default project and the prompts that come with a backbone."""

import threading
from pathlib import Path

from db.prompt_versions import list_versions
from engine.backbone import load_backbone
from engine.serving import Engine
from tests.conftest import Installation
from tests.tiny_backbone import write_tiny_backbone
from workers.engine_host import get_engine
from workers.projects import ensure_default_project


def versions(installation: Installation) -> list[tuple[str, str]]:
    with installation.store.session(read_only=True) as session:
        return [(one.backbone_name, one.state) for one in list_versions(session, installation.project_id)]


def test_processes_that_start_together_ship_one_version(installation: Installation) -> None:
    engine = get_engine()
    threads = [threading.Thread(target=ensure_default_project, args=(installation.store, engine)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert versions(installation) == [("tiny", "active")]


def test_another_backbone_adds_its_prompts_and_takes_nothing_over(installation: Installation, tmp_path: Path) -> None:
    other = Engine(load_backbone(write_tiny_backbone(tmp_path, seed=1, name="other"), "cpu"))
    for _ in range(2):
        ensure_default_project(installation.store, other)
    assert versions(installation) == [("other", "candidate"), ("tiny", "active")]
