"""A project's verdict rule: what it can be, in which unit, and what it says of regions' areas."""

import pytest

from db.errors import BadSetting
from db.projects.projects import get_project, update_settings
from db.projects.verdict_rule import RegionRule, region_rule
from db.session import Database
from tests.db.making import make_project


@pytest.mark.parametrize(
    ("rule", "areas", "anomalous"),
    [
        (RegionRule(0.5, area=10), [], False),
        (RegionRule(0.5, area=10), [9.0, 9.0], False),
        (RegionRule(0.5, area=10), [10.0], True),
        (RegionRule(0.5, area=10, more_than=2), [30.0, 20.0], False),
        (RegionRule(0.5, area=10, more_than=2), [30.0, 20.0, 10.0], True),
        (RegionRule(0.5, area=10, more_than=2, single=25), [24.0, 20.0], False),
        (RegionRule(0.5, area=10, more_than=2, single=25), [25.0], True),
    ],
)
def test_more_regions_than_so_many_or_one_that_is_large_enough_are_anomalous(
    rule: RegionRule, areas: list[float], anomalous: bool
) -> None:
    assert rule.calls_anomalous(areas) is anomalous


def test_areas_are_in_mm2_where_the_project_has_a_scale_and_else_in_px2(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        assert region_rule(get_project(session, project_id).settings) is None
        project = update_settings(session, project_id, {"verdict_rule": {"kind": "regions", "area": 4}})
        assert project.settings["verdict_rule"]["unit"] == "px2"
        assert region_rule(project.settings) == RegionRule(0.5, area=4)
        wanted = {"kind": "regions", "area": 0.5, "single": 2, "more_than": 3}
        project = update_settings(session, project_id, {"px_per_mm": 10, "verdict_rule": wanted, "map_threshold": 0.3})
        assert region_rule(project.settings) == RegionRule(0.3, area=50, more_than=3, single=200)
        with pytest.raises(BadSetting, match="has no scale"):  # which would say nothing any more
            update_settings(session, project_id, {"px_per_mm": None})
        project = update_settings(session, project_id, {"verdict_rule": {"kind": "score"}, "px_per_mm": None})
        assert region_rule(project.settings) is None


@pytest.mark.parametrize(
    "wanted",
    [
        None,
        "regions",
        {"kind": "area"},
        {"kind": "regions"},
        {"kind": "regions", "area": -1},
        {"kind": "regions", "area": float("nan")},
        {"kind": "regions", "area": True},
        {"kind": "regions", "area": 1, "more_than": 0.5},
        {"kind": "regions", "area": 1, "more_than": 1000},
        {"kind": "regions", "area": 1, "single": "2"},
        {"kind": "regions", "area": 1, "unit": "cm2"},
        {"kind": "regions", "area": 1, "unit": "mm2"},  # without a scale
        {"kind": "regions", "area": 1, "least": 2},
    ],
)
def test_what_is_no_rule_is_refused_and_nothing_is_changed(database: Database, wanted: object) -> None:
    with database.session() as session:
        project_id = make_project(session)
        with pytest.raises(BadSetting, match="verdict"):
            update_settings(session, project_id, {"threshold": 0.2, "verdict_rule": wanted})
        assert get_project(session, project_id).settings["threshold"] == 0.5
