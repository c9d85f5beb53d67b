"""A model on its way into use: brought in from a hub on the loopback, swapped, refused, cancelled, gone on with."""

import gc
import json
import threading
import weakref
from collections.abc import Iterator
from datetime import timedelta

import pytest
import torch
from open_clip import CLIP
from safetensors.torch import save
from sqlalchemy import update

from db.backbones.choice import LIVE, read_choice, take
from db.images.predictions import latest_scores
from db.images.rows import get_image_row
from db.tables.base import utc_now
from db.tables.operations import BackboneChoice
from db.training.prompt_versions import active_version, list_versions
from engine.detector.prompt_files import parse_prompts
from settings import Settings, get_settings
from tests.conftest import Installation
from tests.loopback_hub import LoopbackHub, loopback_hub
from tests.running import wait_until
from tests.tiny_backbone import MODEL_CFG
from tests.workers.making import add, correct
from workers.backbones import changes as model_changes
from workers.backbones.changes import ModelChanges
from workers.backbones.choosing import cancel_change, choose_model, models, take_file
from workers.errors import BackboneIsSet, BadName, ChangeInProgress
from workers.projects.shipped_prompts import ensure_shipped_prompts
from workers.scoring import engine_host
from workers.scoring.engine_host import engine_status, get_engine
from workers.scoring.scorer import score_unscored
from workers.training.runs import start_run
from workers.training.tuning_run import tune

REPO = "me/small"
NAME = f"hf-hub:{REPO}"
FILE = "open_clip_model.safetensors"


@pytest.fixture(scope="module")
def weights() -> bytes:
    torch.manual_seed(7)
    return save({name: tensor.contiguous() for name, tensor in CLIP(**MODEL_CFG).state_dict().items()})


@pytest.fixture
def hub(tmp_path, weights) -> Iterator[LoopbackHub]:
    with loopback_hub(tmp_path / "hub") as served:
        config = json.dumps({"model_cfg": MODEL_CFG}).encode()
        served.files[REPO] = {"open_clip_config.json": config, FILE: weights}
        yield served


@pytest.fixture
def chosen(installation: Installation, hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """An installation whose environment names no model: `tiny` is what comes with it."""
    monkeypatch.setattr(Settings, "backbone_is_set", False)
    return installation


def look(installation: Installation) -> BackboneChoice:
    """One look of the process that brings models in; what the row says then."""
    ModelChanges(installation.store, brings=True).look()
    return choice(installation)


def choice(installation: Installation) -> BackboneChoice:
    with installation.store.session(read_only=True) as session:
        found = read_choice(session)
        session.expunge_all()
    return found


def active(installation: Installation):
    with installation.store.session(read_only=True) as session:
        return active_version(session, installation.project_id)


def test_a_model_is_brought_in_swapped_and_left_again_and_no_image_stays_without_score(chosen):
    store, project_id = chosen.store, chosen.project_id
    first = active(chosen)
    ids = [add(chosen, seed=seed) for seed in range(3)]
    score_unscored(store, project_id, 10)
    with store.session(read_only=True) as session:
        old = get_image_row(session, ids[0]).prediction.score

    choose_model(store, NAME, "ada")
    assert look(chosen).state == "done" and models(store).name == NAME
    assert get_engine().info.name == NAME and engine_status()["name"] == NAME
    second = active(chosen)
    assert second.backbone_name == NAME and second.activated_by == "ada" and second.number != first.number
    with store.session(read_only=True) as session:
        row = get_image_row(session, ids[0])
        assert row.prediction is None and latest_scores(session, ids)[ids[0]] == old
    assert score_unscored(store, project_id, 10) == 3
    assert choice(chosen).measured[NAME]["seconds"] > 0

    choose_model(store, choice(chosen).previous, "ada")
    assert look(chosen).state == "done"
    assert active(chosen).id == first.id
    with store.session(read_only=True) as session:
        assert get_image_row(session, ids[0]).prediction.score == old  # found again, without another look
    assert score_unscored(store, project_id, 10) == 0


def test_what_was_learnt_with_a_model_is_found_again_with_it(chosen):
    store, project_id = chosen.store, chosen.project_id
    correct(chosen, 2)
    run_id = start_run(store, project_id, trigger="manual", epochs=1)
    tune(store, get_engine(), run_id)
    with store.session(read_only=True) as session:
        learnt = list_versions(session, project_id)[0]
    from workers.training.promoting import activate_version

    activate_version(store, learnt.id)
    home = engine_host.chosen_backbone()
    choose_model(store, NAME, "ada")
    look(chosen)
    assert active(chosen).backbone_name == NAME
    choose_model(store, home, "ada")
    look(chosen)
    assert active(chosen).id == learnt.id


def test_plain_words_of_the_new_model_say_which_class_token_they_see(chosen):
    choose_model(chosen.store, NAME, "ada")
    look(chosen)
    assert parse_prompts(chosen.store.blobs.get(active(chosen).blob_key)).class_token == "normed"


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (lambda hub: setattr(hub, "wrong", True), "is not that file"),
        (lambda hub: setattr(hub, "status", 503), "refuses me/small"),
        (lambda hub: hub.stop(), "can't be reached"),
        (lambda hub: hub.cuts.extend([1000, *[0] * 20]), "What was fetched is kept"),
    ],
)
def test_every_failure_ends_in_a_sentence_and_what_is_in_use_goes_on(chosen, hub, behave, reason):
    before, engine = active(chosen).id, get_engine()
    config = hub.files[REPO]["open_clip_config.json"]
    choose_model(chosen.store, NAME, "ada")
    hub.asked.clear()
    if reason == "What was fetched is kept":  # the configuration first, which is not to be cut off
        hub.cuts.append(len(config) + 1)
    behave(hub)
    found = look(chosen)
    assert found.state == "failed" and reason in found.error and found.wanted == NAME
    assert get_engine() is engine and active(chosen).id == before
    add(chosen)
    assert score_unscored(chosen.store, chosen.project_id, 5) == 1


def test_weights_that_do_not_fit_leave_everything_as_it_was(chosen, hub):
    hub.files["me/broken"] = {**hub.files[REPO], FILE: b"no weights"}
    before = get_engine()
    choose_model(chosen.store, "hf-hub:me/broken", "ada")
    found = look(chosen)
    assert found.state == "failed" and "don't fit the model or can't be read safely" in found.error
    assert get_engine() is before


def test_a_cancelled_download_is_gone_on_with(chosen, hub, monkeypatch):
    monkeypatch.setattr(model_changes, "_REPORT_SECONDS", 0.0)
    hub.slow = 0.02
    choose_model(chosen.store, NAME, "ada")
    bringing = threading.Thread(target=ModelChanges(chosen.store, brings=True).look)
    bringing.start()
    while not choice(chosen).done_bytes:
        assert bringing.is_alive()
    with pytest.raises(ChangeInProgress):
        choose_model(chosen.store, "embedded", "ada")
    cancel_change(chosen.store)
    bringing.join(30)
    assert not bringing.is_alive() and choice(chosen).state == "cancelled"
    hub.slow = 0.0
    choose_model(chosen.store, NAME, "ada")
    assert look(chosen).state == "done"
    assert [one for one in hub.sent() if one.startswith("bytes=")]


def test_only_one_process_brings_it_in_and_another_goes_on_when_that_one_ended(chosen):
    choose_model(chosen.store, NAME, "ada")
    with chosen.store.session() as session:
        assert take(session) == NAME
    with chosen.store.session() as session:
        assert take(session) is None
        session.execute(update(BackboneChoice).values(heartbeat_at=utc_now() - timedelta(minutes=5)))
    assert look(chosen).state == "done"


def test_a_download_that_a_restart_broke_off_goes_on_at_once(chosen, monkeypatch):
    monkeypatch.setattr(model_changes, "_LOOK_SECONDS", 0.01)
    choose_model(chosen.store, NAME, "ada")
    with chosen.store.session() as session:
        assert take(session) == NAME  # by a process that then was killed
    changes = ModelChanges(chosen.store, brings=True)
    changes.start()
    wait_until(lambda: choice(chosen).state == "done", "the model in use")
    changes.stop()


def test_another_process_follows(chosen, monkeypatch):
    choose_model(chosen.store, NAME, "ada")
    look(chosen)
    other = engine_host._Host()
    monkeypatch.setattr(engine_host, "_host", other)
    monkeypatch.setattr("workers.scoring.engine_host.chosen_backbone", lambda: get_settings().backbone)
    get_engine()
    monkeypatch.undo()
    monkeypatch.setattr(engine_host, "_host", other)
    monkeypatch.setattr(Settings, "backbone_is_set", False)
    ModelChanges(chosen.store, brings=False).look()
    assert engine_host.loaded_backbone() == NAME


def test_a_project_made_with_the_model_before_follows(chosen):
    old = get_engine()
    choose_model(chosen.store, NAME, "ada")
    look(chosen)
    with chosen.store.session() as session:
        from db.projects.projects import add_project

        project_id = add_project(session, "late").id
    ensure_shipped_prompts(chosen.store, old)  # a process that has not swapped yet
    ensure_shipped_prompts(chosen.store, get_engine())
    with chosen.store.session(read_only=True) as session:
        assert active_version(session, project_id).backbone_name == NAME


def test_the_model_before_is_let_go(chosen):
    add(chosen)
    score_unscored(chosen.store, chosen.project_id, 5)
    before = weakref.ref(get_engine())
    choose_model(chosen.store, NAME, "ada")
    look(chosen)
    add(chosen, seed=1)
    score_unscored(chosen.store, chosen.project_id, 5)
    gc.collect()
    assert before() is None  # its memory is for the next one


def test_no_memory_is_said_before_a_byte_of_the_weights_comes(chosen, hub, monkeypatch):
    monkeypatch.setattr(model_changes, "free_memory", lambda: 10_000_000)
    choose_model(chosen.store, NAME, "ada")
    found = look(chosen)
    assert found.state == "failed" and "GB of memory" in found.error and "0.0 GB are free" in found.error
    assert not hub.sent()


def test_what_never_fits_is_refused_before_anything_is_fetched(chosen, hub):
    choose_model(chosen.store, "ViT-B-16-SigLIP/webli", "ada")
    found = look(chosen)
    assert found.state == "failed" and "timm's" in found.error and not hub.asked


def test_the_environment_counts_alone(installation):
    with pytest.raises(BackboneIsSet, match=r"ANOMALYLOOP_BACKBONE is .*counts alone. Unset it there"):
        choose_model(installation.store, NAME, "ada")
    assert models(installation.store).setting and models(installation.store).offer is None


def test_a_file_in_the_folder_is_chosen_by_its_name(chosen, tmp_path):
    torch.manual_seed(3)
    import io

    model = CLIP(**MODEL_CFG)
    from open_clip import factory

    data = save({name: tensor.contiguous() for name, tensor in model.state_dict().items()})
    assert take_file("some/where/own.safetensors", io.BytesIO(data)) == "own.safetensors"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(factory._MODEL_CONFIGS, "ViT-S-16", MODEL_CFG)
        choose_model(chosen.store, "ViT-S-16@own.safetensors", "ada")
        assert look(chosen).state == "done"
    assert models(chosen.store).files == ["own.safetensors"]
    assert get_engine().info.name == "ViT-S-16@own.safetensors"


@pytest.mark.parametrize("name", ["", "ViT-S-16@/etc/passwd", "ViT-S-16@../x.pt", "x.json@y.pt", "a\nb", "x" * 400])
def test_names_that_lead_out_of_the_folder_are_refused(chosen, name):
    if name == "a\nb":
        choose_model(chosen.store, name, "ada")  # is "a b", a name that no model has
        assert look(chosen).state == "failed"
        return
    with pytest.raises(BadName):
        choose_model(chosen.store, name, "ada")
    assert choice(chosen).state not in LIVE


@pytest.mark.parametrize("name", ["weights.exe", ".safetensors", "a@b.pt", ""])
def test_only_weights_are_kept_in_the_folder(chosen, name):
    import io

    with pytest.raises(BadName):
        take_file(name, io.BytesIO(b""))


def test_the_next_better_model_is_offered_where_there_is_room_and_nothing_was_chosen(chosen, monkeypatch):
    monkeypatch.setattr("workers.backbones.choosing.free_memory", lambda: 8_000_000_000)
    monkeypatch.setattr("workers.backbones.choosing._free_disk", lambda: 8_000_000_000)
    assert models(chosen.store).offer.name == "ViT-B-16-quickgelu/openai"
    monkeypatch.setattr("workers.backbones.choosing._free_disk", lambda: 100_000_000)
    assert models(chosen.store).offer is None
    monkeypatch.setattr("workers.backbones.choosing._free_disk", lambda: None)
    choose_model(chosen.store, NAME, "ada")
    look(chosen)
    assert models(chosen.store).offer is None
