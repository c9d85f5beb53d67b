"""`/audit`: who did what, when, on which object, from where; for admins. As JSON, or all of it as CSV."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from db.accounts.audit import AuditFilter, list_entries
from webapp.api.dependencies import Moment, StoreDep
from workers.accounts.audit_table import audit_csv

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


def _wanted(
    user: Annotated[str | None, Query(max_length=100, description="Of this user alone.")] = None,
    at_from: Annotated[Moment | None, Query(description="then or later")] = None,
    at_before: Annotated[Moment | None, Query(description="earlier")] = None,
) -> AuditFilter:
    return AuditFilter(user, at_from, at_before)


WantedDep = Annotated[AuditFilter, Depends(_wanted)]


@router.get("")
def get_audit(
    store: StoreDep,
    wanted: WantedDep,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Older than the entry of this id.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[AuditView]:
    """The newest entries; without accounts, deletions alone are written down."""
    with store.session(read_only=True) as session:
        entries = list_entries(session, wanted, before=before, limit=limit)
    return [AuditView.model_validate(entry) for entry in entries]


@router.get("/export", response_class=StreamingResponse, responses={200: {"content": {"text/csv": {}}}})
def get_audit_export(store: StoreDep, wanted: WantedDep) -> StreamingResponse:
    """All entries, or those of a user or of a time, as CSV in UTF-8, the oldest first, sent while they are read."""
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"', "X-Content-Type-Options": "nosniff"}
    return StreamingResponse(audit_csv(store, wanted), media_type="text/csv; charset=utf-8", headers=headers)
