"""What is known of a part: given, read from a file name by the project's pattern, and searched."""

from datetime import UTC, datetime

import pytest

from db.errors import BadSetting
from db.images.filters import ImageFilter
from db.images.pages import count_images, list_images
from db.images.part_facts import NOTHING_KNOWN, PartFacts, check_pattern, facts_in_name, time_in
from db.session import Database
from tests.db.making import make_image, make_project, make_version

WHEN = datetime(2026, 11, 28, 9, 30, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("north_L7_A-17_0001.png", "{station}_{lot}_{part}_*", PartFacts("A-17", "L7", "north")),
        ("A-17.png", "{part}.png", PartFacts("A-17")),
        ("x-20261128T093005-A17.jpg", "*-{time}-{part}.*", PartFacts("A17", captured_at=WHEN)),
        ("A(17)+.png", "{part}.png", PartFacts("A(17)+")),
        ("other.png", "{station}_{part}.png", NOTHING_KNOWN),
        ("a_b.png", None, NOTHING_KNOWN),
        ("a_b.png", "", NOTHING_KNOWN),
    ],
)
def test_a_pattern_finds_facts_in_a_file_name(name: str, pattern: str | None, expected: PartFacts) -> None:
    if pattern is not None:
        check_pattern(pattern)
    assert facts_in_name(name, pattern) == expected


@pytest.mark.parametrize("pattern", ["{part}_{part}", "{serial}", "nothing", 7, "{part}" + "x" * 400])
def test_what_is_no_pattern_is_refused(pattern: object) -> None:
    with pytest.raises(BadSetting):
        check_pattern(pattern)


def test_a_pattern_takes_no_long_time_however_hostile_the_name() -> None:
    pattern = "{station}_*_{lot}_*_{part}_*x"
    assert facts_in_name("_" * 255, pattern) == NOTHING_KNOWN
    assert facts_in_name("a_" * 127 + "y", pattern) == NOTHING_KNOWN


@pytest.mark.parametrize("text", ["2026-11-28 09:30:05", "2026:11:28 09:30:05", "20261128T093005", "20261128093005"])
def test_a_time_is_read_from_its_digits(text: str) -> None:
    assert time_in(text) == WHEN


@pytest.mark.parametrize("text", ["", "2026-13-45", "no time"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert time_in(text) is None


def test_what_is_given_counts_before_what_the_name_says() -> None:
    given = PartFacts(lot="L8", tags=("wet", "left"))
    assert given.or_else(PartFacts("A", "L7", tags=("left",))) == PartFacts("A", "L8", tags=("wet", "left"))


def test_facts_have_a_limit() -> None:
    for facts in ({"part": "x" * 201}, {"tags": ("x",) * 21}, {"tags": ("x" * 201,)}):
        with pytest.raises(ValueError):
            PartFacts(**facts)


def test_images_are_found_by_part_lot_station_and_tag(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        make_version(session, project_id)
        first = make_image(session, project_id, 1, facts=PartFacts("A-17", "L7", "Größe", WHEN, ("nass",)))
        second = make_image(session, project_id, 2, facts=PartFacts("B-18"))
        make_image(session, project_id, 3)
    with database.session(read_only=True) as session:
        for words, expected in (
            ("a-1", [first]),
            ("l7", [first]),
            ("GRÖSSE", [first]),
            ("größ", [first]),
            ("NASS", [first]),
        ):
            wanted = ImageFilter(name=words)
            rows = list_images(session, project_id, wanted=wanted).items
            assert [row.image.id for row in rows] == [one.id for one in expected], words
            assert count_images(session, project_id, wanted) == len(expected)
        assert [row.image.id for row in list_images(session, project_id, wanted=ImageFilter(name="8")).items] == [
            second.id
        ]
        assert first.captured_at == WHEN and first.tags == ["nass"]
