"""Whatever goes away and comes back while people work: all that they were promised is there, and nobody starts a thing.

Each fault once or twice; `python -m benchmarks.faults` injects them by the dozen, into docs/reliability.md.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.faults.injecting import Result, inject
from benchmarks.faults.installations import Embedded, OnServers, small_disk
from benchmarks.faults.servers import Postgres, Redis, ServerMissing


def assert_nothing_lost(result: Result) -> None:
    assert result.nothing_lost, result
    assert result.uploads and result.corrections
    assert (result.failed_runs, result.failed_images) == (0, 0), result


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, tiny_backbone: str) -> Iterator[Embedded]:
    with Embedded(tmp_path_factory.mktemp("faults") / "home", ANOMALYLOOP_BACKBONE=tiny_backbone) as app:
        yield app


def test_the_worker_and_the_schedule_are_killed(app: Embedded) -> None:
    assert_nothing_lost(inject(app, "kill", app.kill_child, 2, between=2))


def test_the_broker_loses_everything(app: Embedded) -> None:
    assert_nothing_lost(inject(app, "broker", app.empty_broker, 1, between=2))


def test_the_place_for_files_is_away_for_a_while(app: Embedded) -> None:
    result = inject(app, "blobs", app.hide_blobs, 1, between=2)
    assert_nothing_lost(result)
    assert result.refusals.keys() == {"storage-unavailable"}


def test_the_disk_is_full_for_a_while(tmp_path: Path, tiny_backbone: str) -> None:
    try:
        with (
            small_disk(tmp_path / "disk", megabytes=300) as home,
            Embedded(home, ANOMALYLOOP_BACKBONE=tiny_backbone) as app,
        ):
            result = inject(app, "disk", app.fill_disk, 1, between=2)
    except PermissionError as error:
        pytest.skip(str(error))
    assert_nothing_lost(result)
    assert result.refusals.keys() == {"storage-full"}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory, tiny_backbone: str) -> Iterator[OnServers]:
    try:
        postgres, redis = Postgres(), Redis()
    except ServerMissing as error:
        pytest.skip(str(error))
    with OnServers(
        tmp_path_factory.mktemp("servers") / "home", postgres, redis, ANOMALYLOOP_BACKBONE=tiny_backbone
    ) as app:
        yield app
    redis.stop()
    postgres.stop()


def test_postgresql_crashes(servers: OnServers) -> None:
    result = inject(servers, "database", servers.crash_database, 1, between=2)
    assert_nothing_lost(result)
    assert result.refusals.keys() <= {"no-database"}


def test_redis_loses_everything(servers: OnServers) -> None:
    assert_nothing_lost(inject(servers, "broker", servers.crash_broker, 1, between=2))


def test_the_page_and_the_worker_are_killed(servers: OnServers) -> None:
    assert_nothing_lost(inject(servers, "page", servers.kill_page, 1, between=2))
    assert_nothing_lost(inject(servers, "worker", servers.kill_worker, 1, between=2))
