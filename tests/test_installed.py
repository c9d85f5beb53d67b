"""`pip install .`: the wheel has all that is needed, and `anomalyloop` works from a folder without the source."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
ROOMS = ("engine", "db", "workers", "webapp")
FILES = ("anomalyloop.py", "app.py", "names.py", "settings.py", "setup.py", "pyproject.toml", "requirements.txt")
PAPERS = ("README.md", "LICENSE", "NOTICE")


def pip(*words: object) -> None:
    """The pip of this environment, which may fetch nothing."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy: setuptools leaves a folder `build` beside what it builds from."""
    folder = tmp_path_factory.mktemp("wheel")
    for room in ROOMS:
        shutil.copytree(ROOT / room, folder / "source" / room)
    for file in (*FILES, *PAPERS):
        shutil.copy(ROOT / file, folder / "source" / file)
    pip("wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "-w", folder, folder / "source")
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """`anomalyloop` of an environment that has the wheel, and what it needs from this environment."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    pip("--python", folder / "bin" / "python", "install", "--quiet", "--no-deps", "--no-index", wheel)
    packages = next((folder / "lib").glob("python*/site-packages"))
    (packages / "needed.pth").write_text("\n".join({sysconfig.get_path(name) for name in ("purelib", "platlib")}))
    return folder / "bin" / "anomalyloop"


def call(command: Path, folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANOMALYLOOP_")}
    environment.pop("PYTHONPATH", None)
    return subprocess.run([command, *map(str, words)], cwd=folder, env=environment, capture_output=True, text=True)


def test_the_wheel_has_every_file_of_the_rooms_and_its_pins(wheel):
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
        metadata = next(file.read(name).decode() for name in names if name.endswith("METADATA"))
    ours = {
        path.relative_to(ROOT).as_posix()
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {"engine/backbone/weights/embedded.safetensors", "webapp/texts/ko.json"} <= ours
    assert ours - names == set()
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/")) or name.endswith(".pyc")]
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pins = {line.partition("#")[0].strip() for line in lines if "==" in line.partition("#")[0]}
    assert len(pins) > 20
    assert {line.removeprefix("Requires-Dist: ") for line in metadata.splitlines() if "Requires-Dist" in line} == pins


def test_an_image_outside_the_source_is_scored(installed, tmp_path):
    (tmp_path / "settings.py").write_text("raise SystemExit('the folder of the user was imported')")
    values = np.random.default_rng(0).integers(120, 180, (90, 120, 3), dtype=np.uint8)
    Image.fromarray(values).save(tmp_path / "part.png")
    answer = call(installed, tmp_path, "score", "part.png", "--json", "--out", "maps")
    assert answer.returncode == 0, answer.stderr
    result = json.loads(answer.stdout)
    assert 0 <= result["score"] <= 1
    assert np.load(tmp_path / result["map"]).shape == (90, 120)


def test_the_database_is_made_in_the_users_folder(installed, tmp_path):
    answer = call(installed, tmp_path, "migrate")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == "The database is up to date.\n"
    assert (tmp_path / "data" / "anomalyloop.db").exists()
