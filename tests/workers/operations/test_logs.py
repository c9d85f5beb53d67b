"""Logs: for people or as JSON, and both with the request and the run that they belong to."""

import json
import logging
import subprocess
import sys

from tests.running import ROOT
from workers.operations.logs import _text

LOGGING = """
import logging, sys
from workers.operations.logs import configure_logging
from workers.operations.tracing import for_request, for_run
configure_logging("INFO", sys.argv[1])
logger = logging.getLogger("anomalyloop")
logger.info("Nobody asked for this.")
with for_request("abc"), for_run(7):
    try:
        raise ValueError("wrong")
    except ValueError:
        logger.exception("Run %d failed.", 7, extra={"ms": 12})
"""


def lines(form: str) -> list[str]:
    ended = subprocess.run([sys.executable, "-c", LOGGING, form], cwd=ROOT, capture_output=True, text=True, check=True)
    return ended.stderr.splitlines()


def test_json_is_one_object_a_line_with_request_and_run() -> None:
    alone, failed = map(json.loads, lines("json"))
    assert alone["message"] == "Nobody asked for this." and alone["level"] == "INFO" and alone["time"]
    assert "request_id" not in alone and "run_id" not in alone
    assert (failed["message"], failed["request_id"], failed["run_id"], failed["ms"]) == ("Run 7 failed.", "abc", 7, 12)
    assert "ValueError: wrong" in failed["exc_info"]


def test_what_comes_from_a_path_or_a_header_makes_no_line_and_no_colour() -> None:
    record = logging.makeLogRecord(
        {"levelname": "INFO", "msg": "GET %s: 404", "args": ("/a\r\nERROR all\x1b[31m\u2028",)}
    )
    assert _text().format(record).endswith(r"INFO    GET /a\r\nERROR all\x1b[31m\u2028: 404")
    try:
        raise ValueError("one\ntwo")
    except ValueError:
        record.exc_info = sys.exc_info()
    assert "\nTraceback" in _text().format(record), "a traceback stays readable"


def test_text_is_for_people() -> None:
    assert lines("text")[0].endswith("INFO    Nobody asked for this.")
