"""Gradio is imported whole, and fast: it neither parses its own source nor writes into its package."""

import subprocess
import sys

from tests.running import ROOT

_IMPORT = """
import ast, inspect
from webapp.page.gradio_import import without_stubs

def parsed(*_):
    raise AssertionError("it parsed its source")

ast.get_source_segment, before = parsed, inspect.getfile
with without_stubs():
    import gradio
assert inspect.getfile is before
assert inspect.getfile(gradio.HTML).endswith("html.py")
with gradio.Blocks():
    gradio.Button("Go").click(print)
"""


def test_no_component_is_parsed_and_all_of_them_work() -> None:
    done = subprocess.run([sys.executable, "-c", _IMPORT], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
