"""Many files: decoded ahead, in batches, and in their order."""

import pytest
import torch

from engine.detector.prompts import random_prompts
from engine.serving.score_files import score_files
from tests.engine.conftest import picture


@pytest.fixture
def files(tmp_path):
    """Eleven files, two of which are no images."""
    paths = [tmp_path / f"{number}.png" for number in range(11)]
    for number, path in enumerate(paths):
        picture(number, width=60 + number).save(path)
    paths[4].write_bytes(b"no image")
    paths[10].unlink()
    return paths


@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_every_file_comes_in_its_order_scored_as_if_alone(engine, files, batch_size):
    detector = engine.detector_of(random_prompts(engine.backbone, 1))
    engine.batch_size = batch_size

    found = list(score_files(engine, detector, files))

    assert [one.path for one in found] == files
    assert [number for number, one in enumerate(found) if one.problem] == [4, 10]
    for number in (0, 3, 9):
        alone = engine.score(engine.encode([picture(number, width=60 + number)]), detector)[0]
        assert found[number].image.width == 60 + number
        torch.testing.assert_close(found[number].scored.score, alone.score, rtol=0, atol=1e-3)


def test_a_batch_without_a_readable_file_scores_nothing(engine, files):
    detector = engine.detector_of(random_prompts(engine.backbone, 1))
    assert [one.scored for one in score_files(engine, detector, [files[4], files[10]])] == [None, None]
