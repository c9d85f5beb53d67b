from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from tests.conftest import Installation
from webapp.server import build_api


@pytest.fixture
def client(installation: Installation) -> Iterator[TestClient]:
    """REST on an empty installation. The background scoring is off: tests score when they say so."""
    yield TestClient(build_api(), raise_server_exceptions=False)
