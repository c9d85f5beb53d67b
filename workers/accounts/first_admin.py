"""The first admin from settings, for installations that nobody sits at while they are started."""

import logging

from db.accounts.users import has_admin
from db.store import Store
from settings import Settings
from workers.accounts.managing import make_user, note
from workers.errors import NameTaken

logger = logging.getLogger(__name__)


def ensure_first_admin(store: Store, settings: Settings) -> None:
    """Make the admin that the settings name, where there is none; later they change nothing.

    Raises:
        BadName, BadPassword: another one is needed.
    """
    if not settings.first_admin or not settings.first_admin_password or has_admin(store.database):
        return
    try:
        user = make_user(store, settings.first_admin, "admin", settings.first_admin_password)
    except NameTaken:  # another copy of the page was quicker
        return
    note(store, user_name=user.name, via="command", address="settings", action="users add", object=f"user {user.name}")
    logger.info("Made the first admin, %s, from the settings.", user.name)
