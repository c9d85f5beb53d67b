"""The browser's modules that need no browser, in Node: `modules/*.test.mjs`; and how they are served."""

import subprocess
from pathlib import Path

from fastapi.testclient import TestClient
from playwright._impl._driver import compute_driver_executable

from webapp.server import build_api
from webapp.ui.assets import module_address, modules, version

TESTS = sorted((Path(__file__).parent / "modules").glob("*.test.mjs"))


def test_modules_do_what_they_say_without_a_browser() -> None:
    node, _ = compute_driver_executable()
    done = subprocess.run([node, "--test", *map(str, TESTS)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_a_module_is_kept_for_good_and_only_under_the_address_of_its_version() -> None:
    client = TestClient(build_api(), client=("127.0.0.1", 50000), base_url="http://127.0.0.1")
    answer = client.get(module_address("mask_canvas/bitmap.js"))
    assert answer.status_code == 200 and "immutable" in answer.headers["cache-control"]
    assert (
        answer.headers["content-type"].startswith("text/javascript")
        and answer.content == modules()["mask_canvas/bitmap.js"]
    )
    for path in ("/ui/0123456789abcdef/mask_canvas/bitmap.js", f"/ui/{version()}/mask_canvas/__init__.py",
                 f"/ui/{version()}/../assets.py", f"/ui/{version()}/%2e%2e/assets.py"):  # fmt: skip
        assert client.get(path).status_code == 404
