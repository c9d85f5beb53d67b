"""Files that say that a process without a port goes on, for probes: touched every few seconds.

They carry the host's name, as several containers may share a data folder.
"""

import logging
import socket

from settings import get_settings

logger = logging.getLogger(__name__)


def touch(role: str) -> None:
    """Say that the worker, or the schedule, of this data folder goes on."""
    try:
        (get_settings().home / f"alive-{role}-{socket.gethostname()}").touch()
    except OSError as error:
        logger.warning("It could not be written that the %s goes on: %s", role, error)
