"""The hub: progress, cuts, wrong bytes, no room, away; each ends in a sentence, and never in a broken cache."""

import hashlib
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from huggingface_hub import constants

from engine.backbone import hub as module
from engine.backbone.hub import DiskFull, FetchError, cached, fetch, git_blob, locate
from tests.loopback_hub import LoopbackHub, loopback_hub

REPO, FILE = "timm/vit", "open_clip_model.safetensors"
DATA = bytes(range(256)) * 6000


@pytest.fixture
def hub(tmp_path) -> Iterator[LoopbackHub]:
    with loopback_hub(tmp_path / "hub") as served:
        served.files[REPO] = {FILE: DATA}
        yield served


def test_a_file_comes_with_progress_and_is_found_again_without_asking(hub):
    seen = []
    path = fetch(locate(REPO, ("not_there.bin", FILE)), lambda done, total: seen.append((done, total)))
    assert path.read_bytes() == DATA
    assert seen[0] == (0, len(DATA)) and seen[-1] == (len(DATA), len(DATA)) and len(seen) > 4
    hub.asked.clear()
    assert cached(REPO, (FILE,)) == path and not hub.asked


def test_a_cut_is_gone_on_with_from_where_it_was(hub):
    hub.cuts = [600_000, 300_000]
    assert fetch(locate(REPO, (FILE,))).read_bytes() == DATA
    starts = [int(one.strip("bytes=-") or 0) for one in hub.sent()]
    assert len(starts) == 3 and 0 == starts[0] < starts[1] < starts[2]


def test_what_is_ended_by_a_person_is_gone_on_with_later(hub):
    def stop(done: int, total: int) -> None:
        if done > 500_000:
            raise KeyboardInterrupt

    remote = locate(REPO, (FILE,))
    with pytest.raises(KeyboardInterrupt):
        fetch(remote, stop)
    assert cached(REPO, (FILE,)) is None and 0 < remote.missing < len(DATA) - 500_000
    assert fetch(remote).read_bytes() == DATA
    assert hub.sent()[-1].startswith("bytes=") and not remote.part.exists()


def test_a_hub_that_sends_all_whatever_was_asked_for_gives_the_same_file(hub, monkeypatch):
    remote = locate(REPO, (FILE,))
    remote.part.parent.mkdir(parents=True)
    remote.part.write_bytes(b"what another attempt left")
    real = module.http_stream_backoff
    monkeypatch.setattr(
        module, "http_stream_backoff", lambda *a, headers, **k: real(*a, headers={"Accept-Encoding": "identity"}, **k)
    )
    assert fetch(remote).read_bytes() == DATA


def test_wrong_bytes_are_thrown_away_and_named(hub):
    hub.wrong = True
    remote = locate(REPO, (FILE,))
    with pytest.raises(FetchError, match=r"is not that file: .* thrown away\. Try again"):
        fetch(remote)
    assert cached(REPO, (FILE,)) is None and not remote.part.exists() and not remote.blob.exists()
    hub.wrong = False
    assert fetch(remote).read_bytes() == DATA


def test_a_hub_that_only_ever_cuts_off_ends_in_a_sentence_and_keeps_what_came(hub):
    remote = locate(REPO, (FILE,))
    hub.cuts = [300_000, *[0] * 20]
    with pytest.raises(FetchError, match=r"cut off .*What was fetched is kept\. Try again; see HTTPS_PROXY"):
        fetch(remote)
    assert 0 < remote.part.stat().st_size <= 300_000


@pytest.mark.parametrize(
    ("status", "message"), [(503, r"refuses timm/vit \(status 503\)"), (401, "or shows it only to those with a token")]
)
def test_a_hub_that_refuses_says_so(hub, status, message):
    hub.status = status
    with pytest.raises(FetchError, match=message):
        locate(REPO, (FILE,))


def test_a_hub_that_is_away_names_the_settings_that_lead_to_it(hub):
    hub.stop()
    with pytest.raises(FetchError, match=r"can't be reached.*HTTPS_PROXY and HF_ENDPOINT, or bring in the file"):
        locate(REPO, (FILE,))


def test_offline_is_said(hub, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(FetchError, match="HF_HUB_OFFLINE forbids"):
        locate(REPO, (FILE,))


def test_no_room_is_said_before_a_byte_comes(hub, monkeypatch):
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    remote = locate(REPO, (FILE,))
    hub.asked.clear()
    with pytest.raises(DiskFull, match=r"needs 0\.0 GB in .*, and 0\.0 GB are free\. Make room"):
        fetch(remote)
    assert not hub.asked


def test_a_repository_without_weights_is_no_model(hub):
    with pytest.raises(FetchError, match=r"none of the files model\.bin"):
        locate(REPO, ("model.bin",))


def test_a_token_goes_to_the_hub_and_not_to_where_it_keeps_its_files(hub, tmp_path, monkeypatch):
    (tmp_path / "token").write_text("hf_secret")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    seen: list[dict[str, str]] = []
    real = module.http_stream_backoff
    monkeypatch.setattr(
        module,
        "http_stream_backoff",
        lambda *a, headers, **k: (seen.append(headers), real(*a, headers=headers, **k))[1],
    )
    remote = locate(REPO, (FILE,))
    for number, endpoint in enumerate((hub.url, "https://hub.example")):
        monkeypatch.setattr(constants, "ENDPOINT", endpoint)
        with (tmp_path / str(number)).open("wb") as file:
            module._go_on(remote, file, lambda *_: None)
    assert seen[0]["authorization"] == "Bearer hf_secret" and "authorization" not in seen[1]


def test_a_git_blob_is_named_as_git_names_it():
    assert git_blob(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"
    assert git_blob(b"") == hashlib.sha1(b"blob 0\0").hexdigest()
