"""All tables, those of every file: whoever goes through them takes them from here, so that none is missing."""

# Their tables are in Base.
from db.tables import accounts, claims, core, defects, inspections, interest, operations, webhooks  # noqa: F401
from db.tables.base import Base

TABLES = Base.metadata
