"""Whatever fits the OpenAPI schema, and much that does not: no answer is an error of the server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode

from tests.conftest import Installation, installed, settings_for
from tests.pictures import png
from tests.webapp.rest import kept, upload
from webapp.server import build_api
from workers.scoring.scorer import score_unscored

EXAMPLES = 8
# Not ready while the model loads, and no worker runs here: that is said with 503, and is no error.
NOT_READY = 503


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, tiny_backbone: str, template: Path) -> Iterator[FastAPI]:
    """REST on an installation with some images."""
    home = tmp_path_factory.mktemp("any") / "home"
    with settings_for(home, tiny_backbone), installed(home, template) as installation:
        api = build_api()
        fill(TestClient(api), installation)
        yield api


def fill(client: TestClient, installation: Installation) -> None:
    """Low ids exist, so that some of what is tried gets further than 404."""
    for seed in range(3):
        kept(client, seed=seed)
    score_unscored(installation.store, installation.project_id, limit=10)
    client.put("/api/v1/images/1/annotation", json={"label": "normal"})
    assert upload(client, ("x.png", png(9))).status_code == 201


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_no_input_is_answered_by_an_error_of_the_server(api: FastAPI, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", api)
    failures = []
    for operation in (result.ok() for result in schema.get_all_operations()):

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        def attempt(case: schemathesis.Case) -> None:
            answer = case.call()
            assert answer.status_code < 500 or answer.status_code == NOT_READY, f"{answer.status_code}: {answer.text}"

        try:
            attempt()
        except Unsatisfiable:
            continue  # nothing in it can be wrong
        except AssertionError as error:
            failures.append(f"{operation.label}: {error}")
    assert failures == []
