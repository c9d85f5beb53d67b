"""`/audit`: who did what, when, on which object, from where; for admins."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from db.accounts.audit import list_entries
from webapp.api.dependencies import StoreDep

router = APIRouter(prefix="/audit", tags=["accounts"])


class AuditView(BaseModel):
    """One thing that someone did."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    at: datetime
    user_name: str
    via: str = Field(description="session, token, local (no accounts), command (the command line) or nobody")
    address: str
    action: str
    object: str


@router.get("")
def get_audit(
    store: StoreDep,
    user: Annotated[str | None, Query(max_length=100, description="Of this user alone.")] = None,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Older than the entry of this id.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[AuditView]:
    """The newest entries; without accounts, deletions alone are written down."""
    with store.session(read_only=True) as session:
        entries = list_entries(session, user_name=user, before=before, limit=limit)
    return [AuditView.model_validate(entry) for entry in entries]
