"""What must start quickly does not import torch."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "module",
    ["webapp.server", "workers.tasks", "workers.dispatch", "workers.correcting", "workers.intake", "workers.readiness"],
)
def test_torch_is_not_imported(module: str) -> None:
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
