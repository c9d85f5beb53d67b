import pytest

from engine.backbone.clip import Backbone
from engine.serving.engine import Engine


@pytest.fixture(scope="session")
def tiny_engine(backbone: Backbone) -> Engine:
    return Engine(backbone)
