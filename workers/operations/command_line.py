"""The command line of an installation: prompts into its database, accounts, backup and restore, a check that mends."""

import argparse
import contextlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

from db.errors import DatabaseError
from db.migrate import is_current, migrate
from db.projects.projects import find_project, list_projects
from db.store import Store
from settings import get_settings
from workers.accounts import user_commands
from workers.context import get_store
from workers.errors import EngineError, NotFound
from workers.operations import upkeep
from workers.operations.data_folder import InUse
from workers.operations.starting import why_not
from workers.projects.shipped_prompts import DEFAULT_PROJECT, ensure_default_project


def main(words: Sequence[str] | None = None, *, program: str = "python -m workers") -> int:
    """Parse and run; errors are one line on stderr and exit code 2."""
    arguments = _parser(program).parse_args(words)
    try:
        return arguments.do(arguments)
    except (EngineError, DatabaseError, InUse, OSError, *user_commands.REFUSALS) as error:
        print(error, file=sys.stderr)
    except (SQLAlchemyError, CommandError) as error:
        why = why_not(error)
        if why is None:
            raise
        print(why, file=sys.stderr)
    return 2


def _users(arguments: argparse.Namespace) -> int:
    migrate(get_settings().resolved_database_url)
    print(user_commands.run(get_store(), arguments))
    return 0


def _migrate(arguments: argparse.Namespace) -> int:
    url = get_settings().resolved_database_url
    if not arguments.wait:
        migrate(url)
        print("The database is up to date.")
        return 0
    deadline = time.monotonic() + arguments.wait
    while time.monotonic() < deadline:
        with contextlib.suppress(SQLAlchemyError):  # it is away, or being made
            if is_current(url):
                return 0
        time.sleep(1)
    print(
        f"The database was not brought up to date within {arguments.wait} s. See why `python -m workers migrate`, "
        "which does so, has not run.",
        file=sys.stderr,
    )
    return 1


def _import_prompts(arguments: argparse.Namespace) -> int:
    from workers.scoring.engine_host import get_engine
    from workers.training.promoting import import_prompts

    migrate(get_settings().resolved_database_url)
    store = get_store()
    ensure_default_project(store, get_engine())
    project_id = _project_named(store, arguments.project)
    version = import_prompts(store, project_id, arguments.file.name, arguments.file.read_bytes())
    print(
        f"Version {version.number} of {arguments.project}, for {version.backbone_name} "
        f"({version.backbone_fingerprint[:12]}): {version.note}. It scores once it is activated, in Train or by REST."
    )
    return 0


def _project_named(store: Store, name: str) -> int:
    with store.session(read_only=True) as session:
        project = find_project(session, name)
        if project is None:
            raise NotFound("project", f"{name!r} (there are: {', '.join(one.name for one in list_projects(session))})")
        return project.id


def _backup(arguments: argparse.Namespace) -> int:
    print(upkeep.backup(get_store(), arguments.target))
    return 0


def _restore(arguments: argparse.Namespace) -> int:
    print(upkeep.restore(get_settings(), arguments.file, replace=arguments.replace))
    return 0


def _check(arguments: argparse.Namespace) -> int:
    """0 when all is well or was mended, 1 when something is left to do."""
    left = 0
    findings = upkeep.look_through(
        get_store(), get_settings(), mend=arguments.mend, deep=arguments.deep, blobs_from=arguments.blobs_from
    )
    for found in findings:
        left += not found.mended
        advice = found.advice or "python -m workers check --mend"
        print(f"{found.sentence} {f'Mended: {found.mended}.' if found.mended else f'Left: {advice}'}")
    print("Something is left to do." if left else "All is well.")
    return 1 if left else 0


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=program, description=__doc__)
    subjects = parser.add_subparsers(dest="subject", required=True)
    # As it was called, in scripts; of `anomalyloop` the word is for files outside the database.
    versions = subjects.add_parser("versions", aliases=["prompts"], help="prompt versions")
    action = versions.add_subparsers(dest="action", required=True).add_parser(
        "import", help="add a prompt file as a version that can be activated"
    )
    action.add_argument("file", type=Path, metavar="FILE", help="ours (.safetensors), or the reference's .pth")
    action.add_argument("--project", default=DEFAULT_PROJECT, help="name (default %(default)s)")
    user_commands.add_parser(subjects, _users)
    action.set_defaults(do=_import_prompts)
    _add_upkeep(subjects)
    return parser


def _add_upkeep(subjects: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    tables = subjects.add_parser("migrate", help="bring the database up to date, or wait until that was done")
    tables.add_argument("--wait", type=int, default=0, metavar="SECONDS", help="change nothing: wait for who does it")
    tables.set_defaults(do=_migrate)
    backup = subjects.add_parser("backup", help="all rows and files of one moment, as one tar; the app may run")
    backup.add_argument("target", type=Path, metavar="DIR|FILE", help="a folder (for a dated name), or the file")
    backup.set_defaults(do=_backup)
    restore = subjects.add_parser("restore", help="put a backup back, into SQLite or PostgreSQL; the app must not run")
    restore.add_argument("file", type=Path, metavar="FILE", help="a backup")
    restore.add_argument("--replace", action="store_true", help="delete what is in the database")
    restore.set_defaults(do=_restore)
    check = subjects.add_parser("check", help="find rows and files that don't belong together; the app may run")
    check.add_argument("--mend", action="store_true", help="put right what can be without guessing")
    check.add_argument("--deep", action="store_true", help="read every file and compare it with its name")
    check.add_argument("--blobs-from", type=Path, metavar="BACKUP", help="with --mend: bring lost files back from it")
    check.set_defaults(do=_check)
