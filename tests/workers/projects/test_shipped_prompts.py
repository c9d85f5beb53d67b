"""Projects and the prompts that come with a backbone."""

import threading
from pathlib import Path

from db.images.rows import get_image_row
from db.training.prompt_versions import list_versions
from engine.backbone.loading import load_backbone
from engine.serving.engine import Engine
from tests.conftest import Installation
from tests.db.making import make_version
from tests.pictures import png
from tests.running import wait_until
from tests.tiny_backbone import write_tiny_backbone
from tests.workers.making import add
from workers.images.intake import add_upload
from workers.projects.changes import change_project, make_project
from workers.projects.shipped_prompts import ensure_default_project, ensure_shipped_prompts
from workers.scoring.background import BackgroundScorer
from workers.scoring.engine_host import get_engine


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


def test_every_project_that_works_gets_the_backbones_prompts_and_keeps_its_own(installation: Installation) -> None:
    store = installation.store
    empty = make_project(store, "screws").id
    copied = make_project(store, "bolts", like=installation.project_id).id
    resting = make_project(store, "nuts").id
    change_project(store, resting, archived=True)

    ensure_shipped_prompts(store, get_engine())

    def states(project_id: int) -> list[tuple[str, str]]:
        with store.session(read_only=True) as session:
            return [(one.origin, one.state) for one in list_versions(session, project_id)]

    assert states(empty) == [("shipped", "active")]
    assert states(copied) == [("shipped", "candidate"), ("imported", "active")]
    assert states(resting) == []


def test_a_project_whose_prompts_can_not_be_used_holds_up_no_other(installation: Installation) -> None:
    store = installation.store
    foreign = make_project(store, "a first one").id
    with store.session() as session:
        make_version(session, foreign)  # its file does not exist
    add_upload(store, foreign, "1.png", png(1))
    mine = add(installation)
    scorer = BackgroundScorer(store)
    scorer.start()
    wait_until(lambda: scored(installation, mine), "scored")
    wait_until(lambda: scorer.failure != "", "the reason, once nothing else is to do")
    scorer.stop()


def scored(installation: Installation, image_id: int) -> bool:
    with installation.store.session(read_only=True) as session:
        return get_image_row(session, image_id).status == "to_review"
