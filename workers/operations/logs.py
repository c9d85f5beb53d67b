"""How every process of AnomalyLoop logs: one line an event, to the terminal; for people, or as JSON for machines."""

import logging
import re
from typing import Literal

from pythonjsonlogger.json import JsonFormatter

from workers.operations.tracing import request_id, run_id

# At INFO these tell of every look at the schedule, of every request, or what the app says better itself.
_TALKATIVE = (
    "alembic",
    "celery.app.trace",
    "celery.beat",
    "celery.worker.strategy",
    "httpx",
    "uvicorn.access",
    "uvicorn.error",
)


# What ends a line, or tells a terminal something.
_CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff]")


def configure_logging(level: str, form: Literal["text", "json"] = "text") -> None:
    """Log from a level on; the talkative libraries only from WARNING, unless it is DEBUG.

    Args:
        level: DEBUG, INFO, WARNING or ERROR.
        form: `text`, or `json`: one object a line with time, level, logger, message, and where there is one the
            request id, the run id, the traceback, and what the event itself adds.
    """
    handler = logging.StreamHandler()
    handler.addFilter(_trace)
    handler.setFormatter(_json() if form == "json" else _text())
    logging.basicConfig(level=level, handlers=[handler])
    if level != "DEBUG":
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))


def _trace(record: logging.LogRecord) -> bool:
    if request_id():
        record.request_id = request_id()
    if run_id() is not None:
        record.run_id = run_id()
    return True


class _OneLine(logging.Formatter):
    """What a path, a header or a name brings into a message makes no line of its own, and no colours."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line without a traceback, which stays as it is."""
        return _CONTROL.sub(lambda found: ascii(found.group())[1:-1], super().formatMessage(record))


def _text() -> logging.Formatter:
    return _OneLine("%(asctime)s %(levelname)-7s %(message)s", datefmt="%H:%M:%S")


def _json() -> logging.Formatter:
    return JsonFormatter(
        ["levelname", "name", "message"],
        rename_fields={"levelname": "level", "name": "logger"},
        timestamp="time",
        json_ensure_ascii=False,
    )
