"""All tables, those of every file: whoever goes through them takes them from here, so that none is missing."""

from db import account_models, claim_models, inspection_models, models, operation_models, webhook_models  # noqa: F401 - their tables are in Base
from db.base import Base

TABLES = Base.metadata
