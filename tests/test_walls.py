"""The walls between the rooms: who may import whom, and what must stay quick to import."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("engine", "db", "workers", "webapp")
FORBIDDEN = {
    "engine": {"db", "webapp", "workers", "celery", "kombu", "fastapi", "gradio", "sqlalchemy", "settings"},
    "db": {"torch", "open_clip", "engine", "webapp", "workers", "celery", "fastapi", "gradio", "settings"},
    "workers": {"webapp", "fastapi", "gradio"},
    "webapp": {"torch", "open_clip", "engine", "celery"},
}
QUICK = [
    *("engine", "engine.images", "engine.detector.maps", "db.store", "app", "webapp.server"),
    *(
        "workers.celery_app",
        "workers.tasks",
        "workers.broker.dispatch",
        "workers.images.correcting",
        "workers.images.intake",
    ),
    "workers.operations.readiness",
]


def imported(file: Path) -> set[str]:
    """Top-level names of all modules that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_it_may(room):
    found = {}
    for file in (ROOT / room).rglob("*.py"):
        path = str(file.relative_to(ROOT))
        wrong = imported(file) & FORBIDDEN[room]
        if wrong:
            found[path] = sorted(wrong)
    assert found == {}


def test_the_engine_reads_no_environment_variable():
    read = {"environ", "environb", "getenv"}
    found = {}
    for file in (ROOT / "engine").rglob("*.py"):
        names = {
            getattr(node, "attr", None) or getattr(node, "id", None) for node in ast.walk(ast.parse(file.read_text()))
        }
        if names & read:
            found[str(file.relative_to(ROOT))] = sorted(names & read)
    assert found == {}


def test_settings_import_nothing_of_ours():
    assert not imported(ROOT / "settings.py") & set(ROOMS)


def test_what_must_start_quickly_does_not_wait_for_torch_or_scikit_learn():
    code = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    importlib.import_module(name)\n"
        "    for slow in ('torch', 'sklearn'):\n"
        "        if slow in sys.modules: sys.exit(f'{name} imports {slow}')"
    )
    answer = subprocess.run([sys.executable, "-c", code, *QUICK], cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
