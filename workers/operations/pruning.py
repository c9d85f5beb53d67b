"""Deleting what is old, some times a day: the rules are settings (`KEEP_…`)."""

import logging
from datetime import timedelta

from db.operations.check import delete_nameless
from db.operations.pruning import old_predictions, prune_accounts, prune_predictions
from db.store import Store
from settings import get_settings

logger = logging.getLogger(__name__)

# Predictions in one transaction, so that nobody waits long for it.
_AT_ONCE = 200


def prune(store: Store) -> dict[str, int]:
    """Delete what the settings say is old, and files that belong to nothing; returns what, and how many."""
    settings = get_settings()
    with store.session() as session:
        accounts = prune_accounts(session, timedelta(days=settings.keep_audit_days))
    done = {
        "entries of accounts": accounts,
        "predictions of retired versions": _prune_maps(store, timedelta(days=settings.keep_map_days)),
        "files that belong to nothing": delete_nameless(store),
    }
    if any(done.values()):
        logger.info("Deleted what is old: %s.", ", ".join(f"{count} {what}" for what, count in done.items() if count))
    return done


def _prune_maps(store: Store, older_than: timedelta) -> int:
    total, last = 0, 0
    while True:
        with store.session(read_only=True) as session:
            ids = old_predictions(session, older_than, _AT_ONCE, after=last)
        if not ids:
            return total
        with store.session() as session:
            count, keys = prune_predictions(session, older_than, ids)
        store.delete_blobs(keys)
        total, last = total + count, ids[-1]
