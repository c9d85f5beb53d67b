"""Migrations: they make the tables of the models, from nothing and back, and whoever comes second waits."""

from datetime import timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, inspect, select, text

from db.accounts.audit import add_entry
from db.accounts.credentials import TokenReach, add_sign_in, add_token
from db.accounts.login_attempts import begin_attempt, counters
from db.accounts.members import set_members
from db.accounts.users import add_user
from db.backbones.choice import ask_for
from db.images.images import delete_image
from db.images.inspections import add_inspection
from db.images.review_queue import expected_gain
from db.images.upload_keys import take_key
from db.migrate import alembic_config, downgrade, migrate
from db.operations.worker_reports import report
from db.session import Database
from db.tables import metadata
from db.tables.accounts import ApiToken, AuditEntry, LoginAttempts, ProjectMember, SignIn, User
from db.tables.base import utc_now
from db.tables.claims import ScoringClaim
from db.tables.core import Annotation, Image, Prediction, Project, PromptVersion, TuningRun
from db.tables.defects import DefectKind, NamedDefect
from db.tables.inspections import Inspection
from db.tables.newest_annotations import NewestAnnotation
from db.tables.operations import BackboneChoice, UploadKey, WorkerReport
from db.tables.queue_orders import QueueOrder
from db.tables.webhooks import Webhook, WebhookMessage
from db.training.runs import claim, finish
from db.webhooks.messages import add_webhook, tell
from tests.db.making import (
    in_processes,
    make_annotation,
    make_image,
    make_prediction,
    make_project,
    make_run,
    make_version,
)

TABLES = (
    *(Project, Image, PromptVersion, Prediction, Annotation, TuningRun),
    *(WorkerReport, UploadKey, BackboneChoice, Webhook, WebhookMessage, ScoringClaim, Inspection),
    *(DefectKind, NamedDefect, NewestAnnotation, QueueOrder),
)
ACCOUNT_TABLES = (User, SignIn, ApiToken, AuditEntry, LoginAttempts, ProjectMember)
# What people gave is in these, since the first revision.
OLDEST = ("projects", "images", "prompt_versions", "predictions", "annotations", "tuning_runs")
HOUR = timedelta(hours=1)
MIGRATE = "import sys; from db.migrate import migrate; migrate(sys.argv[1])"


def fill(database: Database) -> None:
    """A row in every table."""
    with database.session() as session:
        project_id = make_project(session)
        version = make_version(session, project_id)
        image = make_image(session, project_id, 1)
        make_prediction(session, image, version)
        annotation = make_annotation(session, image, prompt_version_id=version.id)
        make_run(session, project_id, [annotation.id], parent_version_id=version.id)
        report(session, "celery@host", queues=["scoring"], engine={}, started_at=utc_now())
        ask_for(session, "ViT-B-16/openai", "ada")
        take_key(session, "key", "0" * 64, timedelta(days=1))
        add_webhook(session, project_id=project_id, url="https://example.org", events=["run.finished"])
        tell(session, project_id, "run.finished", {"run_id": 1})
        session.add(ScoringClaim(image_id=image.id, worker="worker", until=utc_now()))
        kind = DefectKind(project_id=project_id, name="dent", compared_name="dent", colour="#ff0000")
        session.add(kind)
        session.flush()
        session.add(NamedDefect(annotation_id=annotation.id, kind_id=kind.id, x=3, y=4, area=12))
        session.add(QueueOrder(prompt_version_id=version.id))
        add_inspection(session, "asked", image.blob_key, {}, timedelta(seconds=10))


def fill_accounts(database: Database) -> None:
    """A row in every table of accounts."""
    with database.session() as session:
        user = add_user(session, "ada", "admin", "x")
        add_sign_in(session, user.id, timedelta(hours=1))
        add_token(session, user.id, "line 3")
        add_entry(session, user_name="ada", via="session", address="::1", action="signed in")
        begin_attempt(session, counters("ada", "::1", 5), wait=timedelta(minutes=1))
        set_members(session, make_project(session), members_only=True, roles={"ada": "viewer"})


def counts(database: Database) -> list[int | None]:
    """Rows of each table."""
    with database.session(read_only=True) as session:
        return [session.scalar(select(func.count()).select_from(table)) for table in TABLES]


def test_the_migrated_tables_are_those_of_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata.TABLES) == []


def test_migrating_again_keeps_everything(database: Database, url: str) -> None:
    fill(database)
    migrate(url)
    assert counts(database) == [1] * len(TABLES)


def test_a_filled_database_goes_back_to_nothing_and_up_again(database: Database, url: str) -> None:
    fill(database)
    database.close()
    downgrade(url)
    assert set(inspect(database.engine).get_table_names()) == {"alembic_version"}
    migrate(url)
    assert counts(database) == [0] * len(TABLES)
    fill(database)
    assert counts(database) == [1] * len(TABLES)


def test_a_filled_database_goes_back_to_before_there_were_accounts_and_up_again(database: Database, url: str) -> None:
    fill(database)
    fill_accounts(database)
    database.close()
    downgrade(url, "0003_archived_projects")
    assert not {table.__tablename__ for table in ACCOUNT_TABLES} & set(inspect(database.engine).get_table_names())
    assert "author" not in {column["name"] for column in inspect(database.engine).get_columns("tuning_runs")}
    migrate(url)
    assert counts(database)[: len(OLDEST)] == [1] * len(OLDEST)
    with database.session(read_only=True) as session:
        assert all(session.scalar(select(func.count()).select_from(table)) == 0 for table in ACCOUNT_TABLES)
        [run], [version] = session.scalars(select(TuningRun)).all(), session.scalars(select(PromptVersion)).all()
        assert (run.author, version.author, version.activated_by) == ("local", "local", "local")
    fill_accounts(database)


def test_a_token_that_is_not_for_everything_is_never_made_one(database: Database, url: str) -> None:
    with database.session() as session:
        user, project_id = add_user(session, "ada", "admin", "x"), make_project(session)
        add_token(session, user.id, "for everything")
        for reach in (TokenReach("line"), TokenReach(project_id=project_id), TokenReach(ends_at=utc_now() + HOUR)):
            add_token(session, user.id, "for something", reach)
    database.close()
    downgrade(url, "0013_webhook_filters")
    migrate(url)
    with database.session(read_only=True) as session:
        [kept] = session.scalars(select(ApiToken)).all()
        assert (kept.name, kept.scope, kept.project_id, kept.ends_at) == ("for everything", "all", None, None)


def test_every_step_back_and_forth_keeps_what_people_gave(database: Database, url: str) -> None:
    def kept() -> list[tuple]:
        with database.engine.connect() as connection:
            ids = [connection.execute(text(f"SELECT id FROM {table} ORDER BY id")).all() for table in OLDEST]
            masks = connection.execute(text("SELECT image_id, revision, label, mask_blob_key, area FROM annotations"))
            return [*ids, masks.all()]

    fill(database)
    before = kept()
    assert all(before)
    with database.engine.connect() as connection:
        scripts = ScriptDirectory.from_config(alembic_config(connection))
    revisions = [one.revision for one in scripts.walk_revisions()]
    for revision in revisions[1:]:
        database.close()
        downgrade(url, revision)
        assert kept() == before, f"down to {revision}"
    database.close()
    migrate(url)
    assert kept() == before


def test_images_scored_before_there_was_a_queue_are_in_it_by_their_score(database: Database, url: str) -> None:
    with database.session() as session:
        project_id = make_project(session)
        version = make_version(session, project_id)
        make_prediction(session, make_image(session, project_id, 1), version, 0.9)
        make_prediction(session, make_image(session, project_id, 2), version, 0.58)
    database.close()
    downgrade(url, "0001")
    assert "expected_gain" not in {column["name"] for column in inspect(database.engine).get_columns("predictions")}
    migrate(url)
    with database.session(read_only=True) as session:
        for kept in session.scalars(select(Prediction)):
            assert kept.expected_gain == pytest.approx(expected_gain(kept.score, 0.0, 0.0, 0.5))


def test_what_counts_of_each_image_is_found_in_what_was_there(database: Database, url: str) -> None:
    def counting() -> list[tuple]:
        with database.engine.connect() as connection:
            newest = text("SELECT image_id, project_id, annotation_id, label, marked, learnt FROM newest_annotations")
            labels = text("SELECT id, label FROM predictions ORDER BY id")
            return [*sorted(map(tuple, connection.execute(newest))), *map(tuple, connection.execute(labels))]

    with database.session() as session:
        project_id = make_project(session)
        version = make_version(session, project_id)
        images = [make_image(session, project_id, number) for number in range(4)]
        learnt = [make_annotation(session, image).id for image in images[:3]]
        run = make_run(session, project_id, learnt[:1], holdout_annotation_ids=learnt[1:])
        claim(session, run.id, "worker", 60.0)
        assert finish(session, run.id, "worker", state="succeeded")
        make_annotation(session, images[0], label="normal", mask_blob_key=None, area=0)
        make_annotation(session, images[1], mask_blob_key=None)
        for image in images:
            make_prediction(session, image, version)
    before = counting()
    assert [row[3:] for row in before[:3]] == [("normal", 0, 0), ("anomalous", 0, 0), ("anomalous", 1, 1)]
    database.close()
    downgrade(url, "0013_webhook_filters")
    migrate(url)
    assert counting() == before


def test_processes_that_migrate_a_new_database_at_once_all_succeed(url: str) -> None:
    in_processes(4, MIGRATE, url)
    database = Database(url)
    fill(database)
    assert counts(database) == [1] * len(TABLES)
    database.close()


def test_ids_of_deleted_images_and_annotations_are_not_given_again(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        before = make_image(session, project_id, 1)
        annotation = make_annotation(session, before)
        delete_image(session, before.id)
    with database.session() as session:
        after = make_image(session, project_id, 1)
        assert after.id > before.id
        assert make_annotation(session, after).id > annotation.id


def test_a_migration_that_leaves_dangling_references_is_refused(sqlite: Database) -> None:
    with sqlite.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        connection.rollback()
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("PRAGMA foreign_keys = OFF")
        raw.execute(
            "INSERT INTO annotations VALUES (1, 99, 1, 'normal', NULL, 0, 'drawn', 'ada', NULL, '2026-01-01', '')"
        )
        raw.execute("PRAGMA foreign_keys = ON")
    with pytest.raises(RuntimeError, match="1 rows of annotations"):
        migrate(str(sqlite.engine.url))
