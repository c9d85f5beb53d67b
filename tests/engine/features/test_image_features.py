"""The feature cache: gives what was put, bounded, by several processes at once, and never a damaged file."""

import os
import subprocess
import sys
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch

from engine.features.image_features import FeatureCache, ImageFeatures, Surface
from engine.images.shapes import Grid
from tests.engine.conftest import picture

ROOT = Path(__file__).parents[3]
# Bytes of the features below in their file, about.
SIZE = 2 * 64 * 32


def features(value: float) -> ImageFeatures:
    return ImageFeatures(torch.full((32,), value).half(), torch.full((1, 64, 32), value).half())


def name(number: int) -> str:
    return f"{number:064x}"


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_was_put_is_got_bit_for_bit(tmp_path):
    cache = FeatureCache(tmp_path, "key", 1 << 20)
    cache.put(name(1), features(0.3))
    found = FeatureCache(tmp_path, "key", 1 << 20).get(name(1))
    assert torch.equal(found.global_feature, features(0.3).global_feature)
    assert torch.equal(found.patch_features, features(0.3).patch_features)
    assert found.patch_features.dtype == torch.float16


def test_a_grid_and_a_surface_come_back_too(tmp_path):
    textures = torch.randn(24, 8, 24).half(), torch.randn(40, 4, 12).half(), torch.randn(112, 2, 6).half()
    surface = Surface(torch.randint(0, 256, (16, 48, 3), dtype=torch.uint8), textures)
    kept = replace(features(0.3), patch_grid=Grid(4, 16), surface=surface)
    cache = FeatureCache(tmp_path, "key", 1 << 20)
    cache.put(name(1), kept)
    cache.put(name(2), features(0.3))

    found, bare = cache.get(name(1)), cache.get(name(2))

    assert found.grid == (4, 16) and bare.grid == (8, 8) and bare.surface is None
    assert torch.equal(found.surface.pixels, surface.pixels)
    for one, other in zip(found.surface.textures, textures, strict=True):
        assert torch.equal(one, other) and one.dtype == torch.float16


def test_an_engine_caches_features_with_their_surface(engine):
    image = picture(1, width=240, height=80)
    fresh, encoded = engine.features(name(1), lambda: image)
    again, encoded_again = engine.features(name(1), lambda: image)
    assert (encoded, encoded_again) == (True, False)
    assert again.grid == fresh.grid and again.grid.columns > again.grid.rows
    assert torch.equal(again.surface.pixels, fresh.surface.pixels)
    height, width = fresh.surface.pixels.shape[:2]
    for one, stride in zip(fresh.surface.textures, (2, 4, 8), strict=True):
        assert one.shape[1:] == (height // stride, width // stride)


def test_other_features_of_the_same_image_are_not_given(tmp_path):
    FeatureCache(tmp_path, "one backbone", 1 << 20).put(name(1), features(0.3))
    assert FeatureCache(tmp_path, "another backbone", 1 << 20).get(name(1)) is None


@pytest.mark.parametrize("keep", [0, 5, 1000])
def test_a_file_that_was_cut_off_counts_as_missing_and_is_removed(tmp_path, keep):
    cache = FeatureCache(tmp_path, "key", 1 << 20)
    cache.put(name(1), features(0.3))
    [file] = files(tmp_path)
    file.write_bytes(file.read_bytes()[:keep])
    assert cache.get(name(1)) is None
    assert not cache.has(name(1))


def test_over_budget_the_longest_unread_go_first(tmp_path):
    cache = FeatureCache(tmp_path, "key", 5 * SIZE)
    for number in range(4):
        cache.put(name(number), features(0.1))
        os.utime(cache._path(name(number)), (number, number))
    cache.get(name(0))
    cache.put(name(4), features(0.1))
    assert [number for number in range(5) if cache.has(name(number))] == [0, 2, 3, 4]


def test_features_in_use_outlive_their_eviction(tmp_path):
    cache = FeatureCache(tmp_path, "key", 1 << 20)
    cache.put(name(1), features(0.3))
    found = cache.get(name(1))
    for file in files(tmp_path):
        file.unlink()
    assert torch.equal(found.patch_features, features(0.3).patch_features)


def test_it_says_how_many_images_it_is_enough_for(tmp_path):
    cache = FeatureCache(tmp_path, "key", 20 * SIZE)
    assert cache.room == 0  # nothing is known of the images yet
    cache.put(name(1), features(0.3))
    room = cache.room
    assert 10 < room < 20
    for number in range(room):
        cache.put(name(number), features(0.3))
    assert all(cache.has(name(number)) for number in range(room))
    read_anew = FeatureCache(tmp_path, "key", 20 * SIZE)
    read_anew.get(name(1))
    assert read_anew.room == room


def test_several_processes_share_it_within_the_budget(tmp_path):
    budget = 20 * SIZE
    processes = get_context("forkserver")  # it imports torch once for the three of them
    processes.set_forkserver_preload([__name__])
    running = [processes.Process(target=get_and_put, args=(tmp_path, budget)) for _ in range(3)]
    for process in running:
        process.start()
    for process in running:
        process.join(120)
    assert [process.exitcode for process in running] == [0, 0, 0]
    assert all(file.suffix == ".safetensors" for file in files(tmp_path))
    assert sum(file.stat().st_size for file in files(tmp_path)) <= 1.2 * budget


def test_a_file_that_is_evicted_while_it_is_opened_counts_as_missing(tmp_path, monkeypatch):
    cache = FeatureCache(tmp_path, "key", 1 << 20)
    cache.put(name(1), features(0.3))
    as_it_is = torch.UntypedStorage.from_file

    def evicted_first(file, *arguments, **options):
        Path(file).unlink()
        return as_it_is(file, *arguments, **options)

    monkeypatch.setattr(torch.UntypedStorage, "from_file", evicted_first)
    assert cache.get(name(1)) is None
    assert cache.misses == 1


# As on a disk that is full: the kernel refuses what goes beyond so many bytes.
PUT_WITHOUT_ROOM = """
import resource, sys
from pathlib import Path
import torch
from engine.features.image_features import FeatureCache, ImageFeatures, Surface
from engine.images.shapes import Grid
from tests.engine.conftest import picture
cache = FeatureCache(Path(sys.argv[1]), "key", 1 << 30)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
cache.put("0" * 64, ImageFeatures(torch.zeros(32), torch.zeros(1, 64, 32)))
print(cache.get("0" * 64))
"""


def test_a_full_disk_costs_a_warning_and_leaves_no_half_of_a_file(tmp_path):
    command = [sys.executable, "-c", PUT_WITHOUT_ROOM, str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "None" and "could not be kept" in ended.stderr
    assert files(tmp_path) == []


def test_what_was_found_and_what_was_not_is_counted(tmp_path):
    cache = FeatureCache(tmp_path, "key", 1 << 20)
    cache.put(name(1), features(0.3))
    for number in (1, 2, 1):
        cache.get(name(number))
    assert (cache.hits, cache.misses) == (2, 1)


def get_and_put(folder: Path, budget: int) -> None:
    """What each of the processes does."""
    cache = FeatureCache(folder, "key", budget)
    for number in range(60):
        found = cache.get(name(number))
        assert found is None or torch.equal(found.patch_features, features(number / 64).patch_features)
        cache.put(name(number), features(number / 64))
