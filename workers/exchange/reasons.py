"""The kinds of defect of a project, and what its corrections name, for an export."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from db.defects.kinds import list_kinds
from db.defects.naming import named_regions
from db.images.rows import ImageRow
from db.tables.defects import NamedDefect


@dataclass(frozen=True)
class Reasons:
    """Kinds by id, in the order of the book; and the named regions of annotations, by the annotation's id."""

    kinds: dict[int, str]
    regions: dict[int, list[NamedDefect]]

    @property
    def names(self) -> list[str]:
        """Of all kinds."""
        return list(self.kinds.values())

    def named(self, row: ImageRow) -> list[tuple[NamedDefect, str]]:
        """The named regions of an image's newest correction, the largest first, each with its kind's name."""
        regions = self.regions.get(row.annotation.id, []) if row.annotation else []
        return [(one, self.kinds[one.kind_id]) for one in regions]

    def words(self, row: ImageRow) -> str:
        """The kinds on an image, each once, as a table has them."""
        return "; ".join(dict.fromkeys(name for _, name in self.named(row)))


def reasons_of(session: Session, project_id: int, rows: Sequence[ImageRow]) -> Reasons:
    """What the corrections of these images of a project name."""
    kinds = {kind.id: kind.name for kind in list_kinds(session, project_id)}
    return Reasons(kinds, named_regions(session, [row.annotation.id for row in rows if row.annotation]))
