import pytest

from engine.backbone import Backbone
from engine.serving import Engine


@pytest.fixture(scope="session")
def tiny_engine(backbone: Backbone) -> Engine:
    return Engine(backbone)
