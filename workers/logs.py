"""How every process of AnomalyLoop logs: one line an event, to the terminal."""

import logging

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


def configure_logging(level: str) -> None:
    """Log from `level` on (DEBUG, INFO, WARNING, ERROR); the talkative libraries only from WARNING, unless DEBUG."""
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)-7s %(message)s", datefmt="%H:%M:%S")
    if level != "DEBUG":
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
