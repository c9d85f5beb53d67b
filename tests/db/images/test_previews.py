"""Previews: one for each image, and none that another version would make another one of."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.images.images import delete_image
from db.images.previews import NewPreview, drop_previews, has_previews, previews_of, save_previews
from db.session import Database
from db.tables.core import Image, Preview, PromptVersion
from db.training.prompt_versions import activate
from tests.db.making import make_image, make_project, make_version


def begin(session: Session) -> tuple[int, PromptVersion, Image, Image]:
    """A project, its active version, and two images."""
    project_id = make_project(session)
    version = make_version(session, project_id)
    activate(session, version.id)
    return project_id, version, make_image(session, project_id, 1), make_image(session, project_id, 2)


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Preview)) or 0


def test_a_new_preview_replaces_the_one_before_and_gives_its_map_to_delete(database: Database) -> None:
    with database.session() as session:
        project_id, version, image, other = begin(session)
        assert not has_previews(session, project_id)
        first = [NewPreview(image.id, 0.3, "maps/a"), NewPreview(other.id, 0.4, "maps/b")]
        assert save_previews(session, project_id, version.id, first, 2) == []
        assert save_previews(session, project_id, version.id, [NewPreview(image.id, 0.9, "maps/c")], 3) == ["maps/a"]
        found = previews_of(session, [image.id, other.id])
        assert {one: (row.score, row.corrections) for one, row in found.items()} == {
            image.id: (0.9, 3),
            other.id: (0.4, 2),
        }
        assert has_previews(session, project_id)
        assert sorted(drop_previews(session, project_id)) == ["maps/b", "maps/c"]
        assert count(session) == 0


def test_with_another_version_in_use_earlier_previews_are_not_shown_and_late_ones_not_kept(database: Database) -> None:
    with database.session() as session:
        project_id, version, image, other = begin(session)
        save_previews(session, project_id, version.id, [NewPreview(image.id, 0.3, "maps/a")], 1)
        activate(session, make_version(session, project_id).id)
        assert previews_of(session, [image.id]) == {} and not has_previews(session, project_id)
        late = [NewPreview(other.id, 0.4, "maps/b")]
        assert save_previews(session, project_id, version.id, late, 1) == ["maps/b"]
        assert count(session) == 1


def test_a_preview_goes_with_its_image_and_is_not_made_of_one_that_is_gone(database: Database) -> None:
    with database.session() as session:
        project_id, version, image, other = begin(session)
        save_previews(session, project_id, version.id, [NewPreview(image.id, 0.3, "maps/a")], 1)
        assert "maps/a" in delete_image(session, image.id)
        assert count(session) == 0
        again = [NewPreview(image.id, 0.3, "maps/a")]
        assert save_previews(session, project_id, version.id, again, 1) == ["maps/a"]  # it is named by nothing
        assert count(session) == 0 and previews_of(session, [other.id]) == {}
