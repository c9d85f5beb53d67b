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
# The command line of the engine reads the settings that name the backbone.
EXCEPTIONS = {"engine/__main__.py": {"settings"}}


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
        wrong = (imported(file) & FORBIDDEN[room]) - EXCEPTIONS.get(path, set())
        if wrong:
            found[path] = sorted(wrong)
    assert found == {}


def test_settings_import_nothing_of_ours():
    assert not imported(ROOT / "settings.py") & set(ROOMS)


@pytest.mark.parametrize("module", ["engine", "engine.images", "engine.maps", "db.store", "workers.celery_app", "app"])
def test_what_starts_first_does_not_wait_for_torch(module):
    code = f"import sys, {module}; print('torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
