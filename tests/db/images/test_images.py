"""Images: the same bytes once, whoever uploads them; deleted with all that belongs to them."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from db.errors import NotFound
from db.images.images import add_image, delete_image, get_image
from db.session import Database
from db.tables.core import Annotation, Image, Prediction
from tests.db.making import (
    at_once,
    in_processes,
    make_annotation,
    make_image,
    make_prediction,
    make_project,
    make_version,
)

UPLOAD_TEN = """
import sys
from db.session import Database
from tests.db.making import make_image, make_project
database = Database(sys.argv[1])
for number in range(10):
    with database.session() as session:
        print(make_image(session, make_project(session), number).id)
"""


def upload(database: Database, project_id: int, file_name: str) -> tuple[Image, bool]:
    """Upload the same bytes under some name."""
    with database.session() as session:
        return add_image(
            session,
            project_id=project_id,
            sha256="a" * 64,
            blob_key=f"aa/{'a' * 64}",
            file_name=file_name,
            byte_size=100,
            width=64,
            height=48,
            author="ada",
        )


def project_in(database: Database, name: str = "default") -> int:
    """A project's id."""
    with database.session() as session:
        return make_project(session, name)


def test_the_same_bytes_make_one_image_with_its_first_name(database: Database) -> None:
    project_id = project_in(database)
    first, duplicate = upload(database, project_id, "first.png")
    assert not duplicate
    again, duplicate = upload(database, project_id, "again.png")
    assert duplicate
    assert (again.id, again.file_name) == (first.id, "first.png")


def test_two_projects_each_have_their_own_image_of_the_same_bytes(database: Database) -> None:
    one, _ = upload(database, project_in(database, "one"), "a.png")
    other, duplicate = upload(database, project_in(database, "other"), "a.png")
    assert not duplicate
    assert one.id != other.id


def test_threads_that_upload_the_same_bytes_at_once_make_one_image(database: Database) -> None:
    project_id = project_in(database)
    results = at_once(8, lambda number: upload(database, project_id, f"{number}.png"))
    uploads = [result for result in results if not isinstance(result, Exception)]
    assert len(uploads) == 8
    assert len({image.id for image, _ in uploads}) == 1
    assert sorted(duplicate for _, duplicate in uploads) == [False] + [True] * 7


def test_processes_that_upload_the_same_bytes_at_once_make_one_image_each(database: Database, url: str) -> None:
    assert len(set(in_processes(3, UPLOAD_TEN, url))) == 1
    with database.session() as session:
        assert session.scalar(select(func.count()).select_from(Image)) == 10


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("part 7.png", "part 7.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\scans\\a.png", "a.png"),
        ("a\x00\n.png", "a.png"),
        ("", "image"),
        ("folder/", "image"),
        ("..", "image"),
        ("x" * 300 + ".png", "x" * 251 + ".png"),
    ],
)
def test_a_file_name_is_kept_without_folders_and_control_characters(database: Database, given: str, shown: str) -> None:
    assert upload(database, project_in(database), given)[0].file_name == shown


def test_an_image_needs_a_project(database: Database) -> None:
    with pytest.raises(IntegrityError):
        upload(database, 99, "a.png")


def test_an_image_that_does_not_exist_is_not_found(database: Database) -> None:
    with database.session() as session:
        for look in (get_image, delete_image):
            with pytest.raises(NotFound, match="no image 99"):
                look(session, 99)


def test_deleting_an_image_deletes_its_predictions_and_annotations_and_no_others(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        version = make_version(session, project_id)
        gone, kept = make_image(session, project_id, 1), make_image(session, project_id, 2)
        for image in (gone, kept):
            make_prediction(session, image, version)
            make_annotation(session, image)
        delete_image(session, gone.id)
    with database.session() as session:
        assert session.scalars(select(Image.id)).all() == [kept.id]
        assert session.scalars(select(Prediction.image_id)).all() == [kept.id]
        assert session.scalars(select(Annotation.image_id)).all() == [kept.id]


def test_deleting_an_image_names_its_blobs(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        version = make_version(session, project_id)
        gone, kept = make_image(session, project_id, 1), make_image(session, project_id, 2)
        map_key = make_prediction(session, gone, version).map_blob_key
        make_prediction(session, kept, version)
        mask = make_annotation(session, gone).mask_blob_key
        make_annotation(session, gone, label="normal", mask_blob_key=None, area=0)
        assert delete_image(session, gone.id) == sorted([gone.blob_key, map_key, str(mask)])
