"""Zips to import, exports to look into, and a second project."""

import io
import zipfile

from db.images.annotations import newest_annotation
from db.images.exports import file_names
from db.projects.projects import ensure_project
from db.store import Store
from workers.exchange.exporting import export_zip
from workers.exchange.importing import LabelImport, Outcome


def packed(files: dict[str, bytes]) -> bytes:
    """A zip of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def unpacked(data: bytes) -> dict[str, bytes]:
    """The files of a zip."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def export(store: Store, project_id: int, kind: str) -> bytes:
    """The whole zip."""
    return b"".join(export_zip(store, project_id, kind))


def take_in(store: Store, project_id: int, *uploads: tuple[str, bytes], replace: bool = False) -> dict[str, Outcome]:
    """Import these files; path → what became of it."""
    opened = [(name, io.BytesIO(data)) for name, data in uploads]
    outcomes = list(LabelImport(store, project_id, opened, replace=replace))
    return {outcome.path: outcome for outcome in outcomes}


def second_project(store: Store) -> int:
    """The id of an empty project beside `default`."""
    with store.session() as session:
        return ensure_project(session, "second").id


def labels(store: Store, project_id: int) -> dict[str, tuple[str, str | None, int, str] | None]:
    """File name → label, mask, area and source of its newest annotation."""
    with store.session(read_only=True) as session:
        newest = {name: newest_annotation(session, image_id) for image_id, name in file_names(session, project_id)}
    return {name: (a.label, a.mask_blob_key, a.area, a.source) if a else None for name, a in newest.items()}
