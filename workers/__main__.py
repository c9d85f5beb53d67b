"""The command line of an installation: prompts into its database (`prompts import FILE`), and accounts (`users`)."""

import argparse
import sys
from pathlib import Path

from db.projects import find_project, list_projects
from db.session import migrate
from db.store import Store
from settings import get_settings
from workers import user_commands
from workers.context import get_store
from workers.errors import EngineError, NotFound
from workers.projects import DEFAULT_PROJECT, ensure_default_project


def main() -> int:
    """Parse and run; errors are one line on stderr and exit code 2."""
    arguments = _parser().parse_args()
    try:
        migrate(get_settings().resolved_database_url)
        said = (user_commands.run if arguments.subject == "users" else _import_prompts)(get_store(), arguments)
    except (EngineError, OSError, *user_commands.REFUSALS) as error:
        print(error, file=sys.stderr)
        return 2
    print(said)
    return 0


def _import_prompts(store: Store, arguments: argparse.Namespace) -> str:
    from workers.engine_host import get_engine
    from workers.promoting import import_prompts

    ensure_default_project(store, get_engine())
    project_id = _project_named(store, arguments.project)
    version = import_prompts(store, project_id, arguments.file.name, arguments.file.read_bytes())
    return (
        f"Version {version.number} of {arguments.project}, for {version.backbone_name} "
        f"({version.backbone_fingerprint[:12]}): {version.note}. It scores once it is activated, in Train or by REST."
    )


def _project_named(store: Store, name: str) -> int:
    with store.session(read_only=True) as session:
        project = find_project(session, name)
        if project is None:
            raise NotFound("project", f"{name!r} (there are: {', '.join(one.name for one in list_projects(session))})")
        return project.id


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    subjects = parser.add_subparsers(dest="subject", required=True)
    prompts = subjects.add_parser("prompts", help="prompt versions")
    action = prompts.add_subparsers(dest="action", required=True).add_parser(
        "import", help="add a prompt file as a version that can be activated"
    )
    action.add_argument("file", type=Path, metavar="FILE", help="ours (.safetensors), or the reference's .pth")
    action.add_argument("--project", default=DEFAULT_PROJECT, help="name (default %(default)s)")
    user_commands.add_parser(subjects)
    return parser


if __name__ == "__main__":
    sys.exit(main())
