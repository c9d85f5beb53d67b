"""What only a GPU does: work recorded and replayed, bytes that go there and come back beside the work in hand."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import open_clip
import pytest
import torch

from engine.backbone.clip import Backbone
from engine.backbone.recording import RecordedWork
from engine.detector.prompts import default_prompts
from engine.serving.engine import Engine
from engine.serving.score_files import score_files
from engine.serving.transfers import to_device, to_host
from tests.pictures import picture

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")


def backbone(device: str, *, compiled: bool = False) -> Backbone:
    torch.manual_seed(0)
    model = open_clip.create_model("ViT-B-32-quickgelu", pretrained=None)
    return Backbone(model, name="random", description="", image_size=96, device=device, compiled=compiled)


@pytest.mark.parametrize("count", [1, 2, 5, 17, 32, 33])
def test_recorded_work_gives_what_the_work_gives(count: int) -> None:
    work = RecordedWork(lambda batch: (batch * 2, batch.sum(dim=1)))
    for turn in range(3):
        batch = torch.randn(count, 4, device="cuda") + turn
        doubled, summed = work(batch)
        torch.testing.assert_close(doubled, batch * 2)
        torch.testing.assert_close(summed, batch.sum(dim=1))


def test_arrays_go_to_the_gpu_and_come_back_whole() -> None:
    arrays = [np.full((50, 60, 3), number, dtype=np.uint8) for number in range(20)]
    there = to_device(arrays, torch.device("cuda"))
    back, more = to_host(there, there.float().mean(dim=(1, 2, 3)))
    np.testing.assert_array_equal(back.numpy(), np.stack(arrays))
    assert more.tolist() == list(range(20))


@pytest.mark.parametrize("compiled", [False, True])
def test_maps_and_scores_are_those_of_the_cpu_from_many_threads_at_once(tmp_path, compiled: bool) -> None:
    images = [picture(number) for number in range(40)]
    files = [tmp_path / f"{number:02d}.png" for number in range(40)]
    for image, file in zip(images, files, strict=True):
        image.save(file)
    slow, fast = Engine(backbone("cpu")), Engine(backbone("cuda", compiled=compiled))
    fast.warm_up()
    text = torch.nn.functional.normalize(torch.randn(2, slow.info.embed_dim), dim=-1)
    detector = replace(slow.detector_of(default_prompts(slow.backbone)), text_features=text)
    on_gpu = replace(detector, text_features=text.cuda())
    expected = slow.score_images(images, detector)
    with ThreadPoolExecutor(8) as threads:
        alone = list(threads.map(lambda image: fast.score_images([image], on_gpu)[0], images))
    streamed = [one.scored for one in score_files(fast, on_gpu, files)]
    for found in (alone, streamed):
        for one, right in zip(found, expected, strict=True):
            assert one is not None
            assert one.score == pytest.approx(right.score, abs=2e-3)
            np.testing.assert_allclose(one.anomaly_map, right.anomaly_map, atol=2e-3)
