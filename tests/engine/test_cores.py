"""The code runs where a system says less than Linux does."""

import os
import subprocess
import sys
from pathlib import Path

from engine.cores import usable_cores


def test_where_a_system_says_how_many_cores_there_are_and_no_more(monkeypatch):
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert usable_cores() == (os.cpu_count() or 1)


def test_the_engine_is_imported_and_decodes_without_what_macos_and_windows_lack():
    code = (
        "import os, sys\n"
        "for name in ('sched_getaffinity', 'sched_setaffinity', 'fork', 'geteuid'):\n"
        "    vars(os).pop(name, None)\n"
        "sys.modules.update(dict.fromkeys(('fcntl', 'resource', 'pwd', 'grp', 'termios')))\n"
        "import engine.images, engine.images.preprocessing, engine.serving.score_files\n"
        "import engine.exports.batch, engine.commands.score\n"
        "from PIL import Image\n"
        "print(engine.images.preprocessing.preprocess([Image.new('RGB', (9, 9))] * 2, 14).shape)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0 and "[2, 3, 14, 14]" in answer.stdout, answer.stderr
