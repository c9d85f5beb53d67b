"""How many corrections name which kind of defect, as a table for spreadsheets."""

import csv
import io
from collections.abc import Sequence

from db.defects.pareto import KindCount
from engine.files.formulas import cell
from engine.files.tables import for_excel


def counts_table(counts: Sequence[KindCount]) -> bytes:
    """CSV: kind (empty for what has none), images, regions, area in px, description."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["kind", "images", "regions", "area_px", "description"])
    for one in counts:
        name, about = (one.kind.name, one.kind.description) if one.kind else ("", "")
        writer.writerow([cell(value) for value in (name, one.images, one.regions, one.area, about)])
    return for_excel(text.getvalue())
