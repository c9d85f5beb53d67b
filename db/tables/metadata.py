"""All tables, those of every file: whoever goes through them takes them from here, so that none is missing."""

from db.tables import accounts, core, operations, webhooks  # noqa: F401 - their tables are in Base
from db.tables.base import Base

TABLES = Base.metadata
