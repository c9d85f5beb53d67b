"""`/defects`: the defect book of a project, and how many corrections name which kind."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from db.defects.kinds import (
    KEYS,
    LONGEST_DESCRIPTION,
    LONGEST_NAME,
    MOST_EXAMPLES,
    add_kind,
    change_kind,
    delete_kind,
    list_kinds,
)
from db.defects.pareto import KindCount, count_kinds
from webapp.access.projects import Projects, ProjectsDep
from webapp.api.dependencies import Id, StoreDep
from workers.defects.table import counts_table
from workers.projects.shipped_prompts import DEFAULT_PROJECT

router = APIRouter(prefix="/defects", tags=["defects"])

Examples = Annotated[
    list[Annotated[int, Field(ge=1, le=2**31 - 1)]],
    Field(max_length=MOST_EXAMPLES, description="ids of images of the project"),
]
Key = Annotated[str | None, Field(max_length=1, description=f"chooses it in Inspect: one of {KEYS}")]


class KindChange(BaseModel):
    """What is to be different of a kind of defect; what is absent stays."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field("", max_length=LONGEST_NAME)
    colour: str = Field("", max_length=7, description="#rrggbb")
    key: Key = None
    description: str = Field("", max_length=LONGEST_DESCRIPTION)
    example_ids: Examples = []


class NewKind(KindChange):
    """A kind of defect to be made; a colour that is absent is chosen."""

    project: str = DEFAULT_PROJECT
    name: str = Field(max_length=LONGEST_NAME)


class KindView(BaseModel):
    """A kind of defect."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    colour: str
    key: str | None
    description: str
    example_ids: list[int]


class KindCountView(BaseModel):
    """What the newest corrections say of a kind."""

    kind: KindView | None = Field(description="null: what is anomalous and has no kind")
    images: int
    regions: int | None = Field(description="null where there is no kind: nobody counts those")
    area: int = Field(description="px")


@router.get("")
def get_kinds(store: StoreDep, projects: ProjectsDep, project: str = DEFAULT_PROJECT) -> list[KindView]:
    """The kinds of defect of a project, in the order in which they were made."""
    project_id = projects.named(project).id
    with store.session(read_only=True) as session:
        return [KindView.model_validate(one) for one in list_kinds(session, project_id)]


@router.post("", status_code=201)
def post_kind(store: StoreDep, projects: ProjectsDep, wanted: NewKind) -> KindView:
    """Add a kind of defect to the book."""
    project_id = projects.named(wanted.project, to_add=True).id
    values = wanted.model_dump(exclude_unset=True, exclude={"project", "name"})
    with store.session() as session:
        return KindView.model_validate(add_kind(session, project_id, wanted.name, **values))


@router.patch("/{kind_id}")
def patch_kind(store: StoreDep, kind_id: Id, change: KindChange) -> KindView:
    """Change a kind of defect; corrections go on naming it."""
    with store.session() as session:
        return KindView.model_validate(change_kind(session, kind_id, change.model_dump(exclude_unset=True)))


@router.delete("/{kind_id}", status_code=204)
def remove_kind(store: StoreDep, kind_id: Id) -> None:
    """Delete a kind of defect that no correction names; 409, kind-in-use, otherwise."""
    with store.session() as session:
        delete_kind(session, kind_id)


@router.get("/counts")
def get_counts(store: StoreDep, projects: ProjectsDep, project: str = DEFAULT_PROJECT) -> list[KindCountView]:
    """How many corrections name which kind, the commonest first; last what has no kind."""
    return [KindCountView.model_validate(one, from_attributes=True) for one in _counts(store, projects, project)]


@router.get("/counts.csv", responses={200: {"content": {"text/csv": {}}}}, response_class=Response)
def get_counts_table(store: StoreDep, projects: ProjectsDep, project: str = DEFAULT_PROJECT) -> Response:
    """The same as a table for spreadsheets."""
    headers = {"Content-Disposition": 'attachment; filename="defects.csv"'}
    return Response(counts_table(_counts(store, projects, project)), media_type="text/csv", headers=headers)


def _counts(store: StoreDep, projects: Projects, project: str) -> list[KindCount]:
    project_id = projects.named(project).id
    with store.session(read_only=True) as session:
        return count_kinds(session, project_id)
