"""docs/library.md is run, as one would from top to bottom, and prints what it shows."""

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "library.md"
# A block of code, and what stands right below it where it prints something.
BLOCK = re.compile(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.DOTALL)


def test_every_block_prints_what_the_page_shows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = BLOCK.findall(PAGE.read_text())
    assert len(blocks) >= 8
    names: dict[str, object] = {}
    for code, shown in blocks:
        with redirect_stdout(io.StringIO()) as printed:
            exec(compile(code, PAGE.name, "exec"), names)
        assert printed.getvalue() == shown, code
