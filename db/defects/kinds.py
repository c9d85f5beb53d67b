"""The defect book of a project: its kinds of defect, each with a colour, a key, a description and example images."""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.errors import BadKind, KindInUse
from db.lookup import get_row
from db.projects.projects import get_project, lock_project
from db.tables.core import Image
from db.tables.defects import DefectKind, NamedDefect
from names import compared

# Keys of Inspect that mean nothing else there.
KEYS = "23456790cijlqtuvwy"
# What a kind has until somebody chooses: the palette of Okabe and Ito, which all kinds of colour vision tell apart.
COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#999999")
LONGEST_NAME, LONGEST_DESCRIPTION, MOST_EXAMPLES = 100, 2000, 12


def list_kinds(session: Session, project_id: int) -> list[DefectKind]:
    """The kinds of a project, in the order in which they were made."""
    kinds = select(DefectKind).where(DefectKind.project_id == project_id)
    return list(session.scalars(kinds.order_by(DefectKind.id)))


def get_kind(session: Session, kind_id: int) -> DefectKind:
    """The kind of this id; raises NotFound."""
    return get_row(session, DefectKind, kind_id)


def add_kind(session: Session, project_id: int, name: str, **values: Any) -> DefectKind:
    """A new kind.

    Args:
        session: a writing session.
        project_id: whose.
        name: 1–100 characters that no other kind of the project has, in capitals or not.
        values: `colour` (#rrggbb), `key` (one of KEYS), `description`, `example_ids`; what is absent is chosen.

    Raises:
        NotFound: no such project.
        BadKind: one of them can't be, or another kind has the name or the key.
    """
    get_project(session, project_id)
    count = session.scalar(select(func.count()).where(DefectKind.project_id == project_id)) or 0
    kind = DefectKind(project_id=project_id, colour=COLOURS[count % len(COLOURS)], description="", example_ids=[])
    _change(session, kind, {"name": name, **values})
    return _kept(session, kind)


def change_kind(session: Session, kind_id: int, values: dict[str, Any]) -> DefectKind:
    """Change what is given of `name`, `colour`, `key`, `description`, `example_ids`. Raises NotFound, BadKind."""
    kind = get_kind(session, kind_id)
    _change(session, kind, values)
    return _kept(session, kind)


def kind_named(session: Session, project_id: int, name: str) -> DefectKind:
    """The kind of this name, in capitals or not; made where there is none. Raises BadKind for what is no name."""
    lock_project(session, project_id)
    name = _checked_name(name)
    found = select(DefectKind).where(DefectKind.project_id == project_id, DefectKind.compared_name == compared(name))
    return session.scalars(found).one_or_none() or add_kind(session, project_id, name)


def delete_kind(session: Session, kind_id: int) -> None:
    """Delete a kind that no correction names, in no revision. Raises NotFound, KindInUse."""
    kind = get_kind(session, kind_id)
    if session.scalar(select(NamedDefect.id).where(NamedDefect.kind_id == kind_id).limit(1)) is not None:
        raise KindInUse(kind.name)
    session.delete(kind)
    session.flush()


def _kept(session: Session, kind: DefectKind) -> DefectKind:
    name, key = kind.name, kind.key
    try:
        with session.begin_nested():
            session.add(kind)
    except IntegrityError:
        raise BadKind(
            f"Another kind of defect of this project has the name {name!r}{f' or the key {key!r}' if key else ''}. "
            "Choose another one."
        ) from None
    return kind


def _change(session: Session, kind: DefectKind, values: dict[str, Any]) -> None:
    with session.no_autoflush:
        if "name" in values:
            kind.name = _checked_name(values["name"])
            kind.compared_name = compared(kind.name)
        if "colour" in values:
            if not re.fullmatch(r"#[0-9a-fA-F]{6}", values["colour"]):
                raise BadKind(f"A colour is written as #d55e00, not {values['colour']!r}.")
            kind.colour = values["colour"].lower()
        if "key" in values:
            kind.key = _checked_key(values["key"])
        if "description" in values:
            kind.description = values["description"].strip()[:LONGEST_DESCRIPTION]
        if "example_ids" in values:
            kind.example_ids = _checked_examples(session, kind.project_id, values["example_ids"])


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise BadKind(f"The name of a kind of defect has 1 to {LONGEST_NAME} printable characters. Choose another one.")
    return name


def _checked_key(key: str | None) -> str | None:
    if key and (len(key) > 1 or key.lower() not in KEYS):
        raise BadKind(f"The key of a kind of defect is one of {' '.join(KEYS)}, as others mean something in Inspect.")
    return key.lower() if key else None


def _checked_examples(session: Session, project_id: int, ids: Sequence[int]) -> list[int]:
    """Those of the project, each once."""
    wanted = list(dict.fromkeys(ids))
    own = select(Image.id).where(Image.project_id == project_id, Image.id.in_(wanted))
    missing = set(wanted) - set(session.scalars(own))
    if missing:
        raise BadKind(f"The project has no image {min(missing)}, so it can't be an example. Choose one of its images.")
    if len(wanted) > MOST_EXAMPLES:
        raise BadKind(f"A kind of defect has at most {MOST_EXAMPLES} example images.")
    return wanted
