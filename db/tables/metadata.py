"""All tables, those of every file: whoever goes through them takes them from here, so that none is missing."""

# Their tables are in Base.
from db.tables import (  # noqa: F401
    accounts,
    claims,
    core,
    defects,
    inspections,
    interest,
    newest_annotations,
    operations,
    queue_orders,
    webhooks,
)
from db.tables.base import Base

TABLES = Base.metadata
