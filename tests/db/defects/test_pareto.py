"""How many corrections name which kind: the newest of each image, and what has none."""

from db.defects.kinds import add_kind
from db.defects.naming import NamedRegion, name_regions
from db.defects.pareto import count_kinds
from db.session import Database
from tests.db.making import make_annotation, make_image, make_project


def test_the_newest_corrections_are_counted_by_kind_the_commonest_first(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        rust, dent, _ = (add_kind(session, project_id, name) for name in ("rust", "dent", "unused"))
        first, second, third, fourth = (make_image(session, project_id, number) for number in range(4))
        name_regions(session, make_annotation(session, first), [NamedRegion(rust.id, 0, 0, 12)])  # an older revision
        name_regions(
            session,
            make_annotation(session, first, area=30),
            [NamedRegion(dent.id, 0, 0, 10), NamedRegion(dent.id, 9, 9, 4), NamedRegion(rust.id, 5, 5, 6)],
        )
        whole = make_annotation(session, second, mask_blob_key=None, area=0)
        name_regions(session, whole, [NamedRegion(dent.id)])
        make_annotation(session, third, area=7)
        make_annotation(session, fourth, label="normal", mask_blob_key=None, area=0)
        other = make_project(session, "other")
        make_annotation(session, make_image(session, other, 1), area=99)

        found = [
            (one.kind and one.kind.name, one.images, one.regions, one.area) for one in count_kinds(session, project_id)
        ]
    assert found == [("dent", 2, 2, 14), ("rust", 1, 1, 6), ("unused", 0, 0, 0), (None, 2, None, 17)]


def test_without_corrections_every_kind_counts_nothing(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        add_kind(session, project_id, "dent")
        [one] = count_kinds(session, project_id)
    assert (one.images, one.regions, one.area) == (0, 0, 0)
