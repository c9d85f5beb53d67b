"""The defect book: a project's own kinds, each name and each key once."""

import pytest

from db.defects.kinds import COLOURS, add_kind, change_kind, delete_kind, kind_named, list_kinds
from db.defects.naming import NamedRegion, name_regions
from db.errors import BadKind, BadNaming, KindInUse, NotFound
from db.session import Database
from tests.db.making import make_annotation, make_image, make_project


def test_a_kind_is_added_changed_and_deleted(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        example = make_image(session, project_id, 1)
        dent, scratch = (add_kind(session, project_id, name) for name in (" Dent ", "scratch"))
        assert (dent.name, dent.colour, scratch.colour, dent.key) == ("Dent", COLOURS[0], COLOURS[1], None)
        change_kind(session, dent.id, {"key": "2", "colour": "#00FF00", "example_ids": [example.id, example.id]})
        assert (dent.key, dent.colour, dent.example_ids, dent.name) == ("2", "#00ff00", [example.id], "Dent")
        assert kind_named(session, project_id, "DENT") is dent
        delete_kind(session, scratch.id)
        assert list_kinds(session, project_id) == [dent]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "},
        {"name": "x" * 101},
        {"name": "DENT"},
        {"name": "other", "key": "2"},
        {"name": "other", "key": "b"},
        {"name": "other", "colour": "red"},
        {"name": "other", "example_ids": [99]},
    ],
)
def test_what_can_not_be_is_refused_and_nothing_is_kept(database: Database, wrong: dict) -> None:
    with database.session() as session:
        project_id = make_project(session)
        add_kind(session, project_id, "Dent", key="2")
        with pytest.raises(BadKind):
            add_kind(session, project_id, **wrong)
        assert [one.name for one in list_kinds(session, project_id)] == ["Dent"]


def test_what_a_correction_names_is_not_deleted_and_no_other_project_can_name_it(database: Database) -> None:
    with database.session() as session:
        ours, theirs = make_project(session), make_project(session, "other")
        dent = add_kind(session, ours, "dent")
        add_kind(session, theirs, "dent")
        name_regions(session, make_annotation(session, make_image(session, ours, 1)), [NamedRegion(dent.id, 1, 1, 5)])
        with pytest.raises(KindInUse, match="'dent'"):
            delete_kind(session, dent.id)
        with pytest.raises(BadNaming):
            name_regions(session, make_annotation(session, make_image(session, theirs, 1)), [NamedRegion(dent.id)])
        with pytest.raises(NotFound):
            delete_kind(session, 99)
