from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Client

from tests.conftest import Installation, installed, settings_for
from tests.webapp.people import People, people_of
from tests.webapp.ui.conftest import served
from webapp.server import build_api


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, tiny_backbone: str, template: Path) -> Iterator[Installation]:
    """One installation for all tests of a module."""
    home = tmp_path_factory.mktemp("accounts") / "home"
    with settings_for(home, tiny_backbone), installed(home, template) as installation:
        yield installation


@pytest.fixture(scope="module")
def people(shared: Installation) -> Iterator[People]:
    """People who call REST with accounts; none of these tests changes an account."""
    api = build_api(accounts=True)
    with people_of(shared, lambda: TestClient(api, raise_server_exceptions=False, follow_redirects=False)) as people:
        yield people


@pytest.fixture(scope="module")
def page_people(shared: Installation) -> Iterator[People]:
    """People who call the served application, Gradio's routes too."""
    with (
        served(shared, accounts=True) as site,
        people_of(shared, lambda: Client(base_url=site.url, timeout=60)) as people,
    ):
        yield people
