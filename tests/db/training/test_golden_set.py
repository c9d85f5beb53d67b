"""The golden set of a project: corrected images, which nothing is learnt from."""

import pytest

from db.errors import NotCorrected, NotFound
from db.images.annotations import count_labels, get_annotations, newest_annotated, waiting_corrections
from db.images.filters import ImageFilter
from db.images.newest_annotations import newest_ids
from db.images.order import ORDERS
from db.images.pages import list_images
from db.session import Database
from db.training.golden_set import count_golden, golden_annotations, set_golden
from tests.db.making import make_annotation, make_image, make_prediction, make_project, make_version


def test_a_golden_image_is_listed_and_no_run_learns_from_it(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        version = make_version(session, project_id)
        images = [make_image(session, project_id, number) for number in (1, 2)]
        for image in images:
            make_annotation(session, image)
            make_prediction(session, image, version)
        newest = make_annotation(session, images[0], label="normal", mask_blob_key=None, area=0)
        set_golden(session, images[0].id, True)
        assert [one.id for one in golden_annotations(session, project_id)] == [newest.id]
        assert [one.image_id for one in get_annotations(session, newest_ids(session, project_id))] == [images[1].id]
        assert waiting_corrections(session, project_id).count == 1
        assert (count_labels(session, project_id).normal, count_labels(session, project_id).marked) == (0, 1)
        assert newest_annotated(session, project_id, 10) == [images[1].seen_key]
        for golden, image in ((True, images[0]), (False, images[1])):
            for order in ORDERS:
                found = list_images(session, project_id, wanted=ImageFilter(golden=golden), order=order).items
                assert [row.image.id for row in found] == [image.id], order
        set_golden(session, images[0].id, False)
        assert waiting_corrections(session, project_id).count == 2 and count_golden(session, project_id) == 0


def test_only_what_somebody_corrected_can_be_golden(database: Database) -> None:
    with database.session() as session:
        image = make_image(session, make_project(session), 1)
        with pytest.raises(NotCorrected, match=f"Nobody has corrected image {image.id} yet"):
            set_golden(session, image.id, True)
        with pytest.raises(NotFound):
            set_golden(session, image.id + 1, True)


def test_a_project_has_a_golden_set_of_its_own(database: Database) -> None:
    with database.session() as session:
        ours, theirs = make_project(session), make_project(session, "other")
        image = make_image(session, theirs, 1)
        make_annotation(session, image)
        set_golden(session, image.id, True)
        assert golden_annotations(session, ours) == [] and count_golden(session, ours) == 0
        assert count_golden(session, theirs) == 1
