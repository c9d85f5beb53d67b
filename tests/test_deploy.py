"""The files of deploy/ are what their readers take: Compose's schema, Kubernetes' schemas, systemd's checker."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from settings import Settings
from workers.celery_app import QUEUES

DEPLOY = Path(__file__).parents[1] / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
KUBERNETES = "1.33"


def documents(file: Path) -> list[dict]:
    return list(yaml.safe_load_all(file.read_text()))


def commands() -> list[list[str]]:
    """What each container runs."""
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    found = [service["command"] for service in compose.values() if "celery" in service.get("command", [])]
    for document in (one for file in MANIFESTS for one in documents(file) if one["kind"] == "Deployment"):
        found += [container["args"] for container in document["spec"]["template"]["spec"]["containers"]]
    return found


def test_compose_has_a_schema() -> None:
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    ended = subprocess.run([*checker, str(DEPLOY / "compose.yaml")], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("file", MANIFESTS, ids=lambda file: file.name)
def test_every_manifest_is_what_kubernetes_takes(file: Path) -> None:
    for document in documents(file):
        kubernetes_validate.validate(document, KUBERNETES, strict=True)


def test_the_unit_is_what_systemd_takes(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze, which checks units, is not installed here")
    unit = tmp_path / "anomalyloop.service"
    text = (DEPLOY / "systemd" / "anomalyloop.service").read_text()
    unit.write_text(text.replace("/opt/anomalyloop/.venv/bin/python", sys.executable))
    ended = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True)
    assert "anomalyloop.service" not in ended.stderr, ended.stderr


def test_every_queue_has_a_worker_and_nobody_waits_at_another_one() -> None:
    for group in (commands()[:3], commands()[3:]):
        taken = {queue for words in group if "-Q" in words for queue in str(words[words.index("-Q") + 1]).split(",")}
        assert taken == set(QUEUES)
        assert sum("beat" in words for words in group) == 1


def test_every_setting_that_is_given_exists() -> None:
    given = {
        name.removesuffix("_FILE")
        for file in DEPLOY.rglob("*")
        if file.is_file()
        for name in re.findall(r"ANOMALYLOOP_([A-Z_]+?)\b", file.read_text())
    }
    assert given - {"NAME"} <= {name.upper() for name in Settings.model_fields} | WITH_ACCOUNTS


# These come with accounts, which what others can reach needs.
WITH_ACCOUNTS = {"PUBLIC_URL"}


def test_whatever_the_image_copies_is_let_in() -> None:
    """`.dockerignore` keeps everything out that it doesn't name."""
    allowed = {line[1:] for line in (DEPLOY.parent / ".dockerignore").read_text().split() if line.startswith("!")}
    copied = re.findall(r"^COPY (.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    sources = {source for line in copied for source in line.split()}
    assert sources <= allowed and all((DEPLOY.parent / source).exists() for source in sources)
