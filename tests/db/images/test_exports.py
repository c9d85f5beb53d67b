"""What leaves a project: its rows in order, only its own, only those asked for."""

import pytest

from db.images import exports
from db.images.exports import all_rows, file_names
from db.session import Database
from tests.db.making import make_annotation, make_image, make_prediction, make_project, make_version


@pytest.mark.parametrize("chunk", [2, 500])
def test_all_rows_of_a_project_with_what_counts_of_them(
    database: Database, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(exports, "_CHUNK", chunk)
    with database.session() as session:
        project_id = make_project(session)
        version = make_version(session, project_id)
        images = [make_image(session, project_id, number) for number in range(5)]
        make_image(session, make_project(session, "other"), 0)
        make_annotation(session, images[3])
        newest = make_annotation(session, images[3], label="normal", mask_blob_key=None, area=0)
        prediction = make_prediction(session, images[4], version)
        rows = list(all_rows(session, project_id))
        assert [row.image for row in rows] == images
        assert rows[3].annotation is newest and rows[4].prediction is prediction


def test_only_the_images_asked_for_and_none_of_another_project(database: Database) -> None:
    with database.session() as session:
        project_id, other = make_project(session), make_project(session, "other")
        images = [make_image(session, project_id, number) for number in range(3)]
        foreign = make_image(session, other, 0)
        asked = [images[2].id, images[0].id, foreign.id, 99]
        assert [row.image for row in all_rows(session, project_id, asked)] == [images[0], images[2]]
        assert list(all_rows(session, project_id, [])) == []


def test_file_names_are_those_of_the_project(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        image = make_image(session, project_id, 1, file_name="a b.png")
        make_image(session, make_project(session, "other"), 2)
        assert file_names(session, project_id) == [(image.id, "a b.png")]
