"""Looking for rows and blobs that don't belong together, and mending what can be mended without guessing.

What can be made again is deleted (a prediction, a preview, a checkpoint) and made again by itself. What a person gave,
images and masks, is never deleted here: what is missing of it can come back from a backup.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Delete, ForeignKey, Select, Table, Update, delete, select, update

from db.blobs import blob_key
from db.errors import BlobMissing
from db.operations.blob_rows import all_named_blobs
from db.store import Store
from db.tables.core import Annotation, Image, Prediction, Preview, PromptVersion, TuningRun
from db.tables.interest import OldPrediction, RegionOfInterest
from db.tables.metadata import TABLES

# A younger file may belong to a row that is about to be written.
_YOUNG_SECONDS = 3600.0
# An older one that still belongs to nothing was passed over by the schedule, which deletes such files at its start and
# every six hours (workers/operations/pruning.py). Until then there is nothing in it to mend: a process was killed
# between writing a file and naming it, as may happen at any time.
_OVERDUE_SECONDS = 24 * 3600.0
_AT_ONCE = 500
_MADE_LATER = "deleted; made again after the next correction"
# What can't be made again.
_GIVEN = (
    (Image, Image.blob_key, "images have no file"),
    (Annotation, Annotation.mask_blob_key, "annotations have no mask"),
    (PromptVersion, PromptVersion.blob_key, "prompt versions have no file"),
    (RegionOfInterest, RegionOfInterest.mask_blob_key, "regions of interest have no mask"),
)


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be.

    Attributes:
        sentence: what, and how often; for people.
        mended: what was done about it; empty: nothing.
        advice: what a person can do, where nothing can be done by itself.
    """

    sentence: str
    mended: str = ""
    advice: str = ""


def check(store: Store, *, mend: bool = False, deep: bool = False) -> list[Finding]:
    """All that is found.

    Args:
        store: what to look through; the app may go on working.
        mend: whether to put right what can be.
        deep: whether to read every blob, and compare it with its key; without, it is enough that it is there.
    """
    return list(_Check(store, mend=mend, deep=deep).findings())


def delete_nameless(store: Store) -> int:
    """Delete files that no row names, and half-written ones, which are older than an hour; how many that were."""
    with store.session(read_only=True) as session:
        named = set(all_named_blobs(session))
    nameless = [key for key, age in store.blobs.keys().items() if age > _YOUNG_SECONDS and key not in named]
    return sum(store.delete_blobs(some) for some in _parts(nameless)) + store.blobs.remove_leftovers(_YOUNG_SECONDS)


def lost_blobs(store: Store, *, deep: bool = False) -> set[str]:
    """The blobs that rows name and the store does not hold; with `deep`, those too that have other bytes."""
    there = store.blobs.keys()
    usable = there.keys() - (_damaged(store, there) if deep else set())
    with store.session(read_only=True) as session:
        return set(all_named_blobs(session)) - usable


class _Check:
    def __init__(self, store: Store, *, mend: bool, deep: bool) -> None:
        self.store, self.mend = store, mend
        self.there = store.blobs.keys()
        self.damaged = _damaged(store, self.there) if deep else set()

    def findings(self) -> Iterator[Finding]:
        yield from self._damaged_blobs()
        yield from self._missing_blobs()
        yield from self._failed_but_there()
        yield from self._nameless_blobs()
        yield from self._leftovers()
        yield from self._dangling()

    def _damaged_blobs(self) -> Iterator[Finding]:
        if not self.damaged:
            return
        if self.mend:
            # Damaged maps would stay in the way of new ones.
            with self.store.session(read_only=True) as session:
                given = {key for _, column, _ in _GIVEN for key in session.scalars(select(column).distinct())}
            for key in self.damaged - given:
                self.store.blobs.delete(key)
        yield Finding(
            f"{len(self.damaged)} files have other bytes than they had: {_some(sorted(self.damaged))}.",
            advice="What names them is below. Bring them back: check --mend --deep --blobs-from BACKUP.",
        )

    def _missing_blobs(self) -> Iterator[Finding]:
        ids = self._without_blob(Prediction, Prediction.map_blob_key)
        remove = delete(Prediction)
        yield from self._made_again(ids, "predictions have no map", "deleted; scored again", Prediction, remove)
        ids = self._without_blob(Preview, Preview.map_blob_key)
        yield from self._made_again(ids, "previews have no map", _MADE_LATER, Preview, delete(Preview))
        ids = self._without_blob(OldPrediction, OldPrediction.map_blob_key)
        yield from self._made_again(ids, "old predictions have no map", "deleted", OldPrediction, delete(OldPrediction))
        ids = self._without_blob(TuningRun, TuningRun.checkpoint_blob_key)
        forget = update(TuningRun).values(checkpoint_blob_key=None)
        yield from self._made_again(ids, "runs have no checkpoint", "they go on from the beginning", TuningRun, forget)
        for table, column, what in _GIVEN:
            ids = self._without_blob(table, column)
            if ids:
                yield Finding(_count(ids, what), advice="Bring the files back: check --mend --blobs-from BACKUP.")

    def _without_blob(self, table: Any, column: Any) -> list[int]:
        rows = select(table.id, column).where(column.is_not(None)).order_by(table.id)
        with self.store.session(read_only=True) as session:
            found = session.execute(rows.execution_options(yield_per=1000))
            suspects = [(row_id, key) for row_id, key in found if key in self.damaged or key not in self.there]
        # Files were listed before the rows were read: what was added in between is there.
        return [row_id for row_id, key in suspects if key in self.damaged or not self.store.blobs.exists(key)]

    def _failed_but_there(self) -> Iterator[Finding]:
        """Images that could not be scored because their file was away, and is back."""
        failed = select(Image.id, Image.blob_key).where(Image.scoring_error.like("The file % is missing%"))
        with self.store.session(read_only=True) as session:
            ids = [row_id for row_id, key in session.execute(failed) if key in self.there and key not in self.damaged]
        again = update(Image).values(scoring_error=None)
        yield from self._made_again(ids, "images failed for want of a file that is there", "tried again", Image, again)

    def _made_again(
        self, ids: list[int], what: str, mended: str, table: Any, statement: Delete | Update
    ) -> Iterator[Finding]:
        if not ids:
            return
        if self.mend:
            with self.store.session() as session:
                for some in _parts(ids):
                    options = {"synchronize_session": False}
                    session.execute(statement.where(table.id.in_(some)), execution_options=options)
        yield Finding(_count(ids, what), mended if self.mend else "")

    def _nameless_blobs(self) -> Iterator[Finding]:
        with self.store.session(read_only=True) as session:
            named = set(all_named_blobs(session))
        nameless = [key for key, age in self.there.items() if key not in named and age > self._left_for()]
        if nameless:
            if self.mend:
                for some in _parts(nameless):
                    self.store.delete_blobs(some)
            yield Finding(
                f"{len(nameless)} files belong to nothing: {_some(nameless)}.", "deleted" if self.mend else ""
            )

    def _leftovers(self) -> Iterator[Finding]:
        blobs = self.store.blobs
        oldest = self._left_for()
        count = blobs.remove_leftovers(oldest) if self.mend else len(blobs.leftovers(oldest))
        if count:
            yield Finding(
                f"{count} files were left half-written by processes that ended.", "deleted" if self.mend else ""
            )

    def _left_for(self) -> float:
        """For how many seconds a file may belong to nothing: to be deleted here and now, or to be spoken of."""
        return _YOUNG_SECONDS if self.mend else _OVERDUE_SECONDS

    def _dangling(self) -> Iterator[Finding]:
        """References to rows that don't exist, which a database restored by hand may have."""
        for table in TABLES.sorted_tables:
            for reference in sorted(table.foreign_keys, key=lambda one: one.parent.name):
                with self.store.session(read_only=True) as session:
                    ids = list(session.scalars(_dangling_ids(table, reference)))
                what = f"rows of {table.name} name {reference.column.table.name} that don't exist"
                if table is Prediction.__table__:
                    yield from self._made_again(ids, what, "deleted; scored again", Prediction, delete(Prediction))
                elif table is Preview.__table__:
                    yield from self._made_again(ids, what, _MADE_LATER, Preview, delete(Preview))
                elif table is OldPrediction.__table__:
                    yield from self._made_again(ids, what, "deleted", OldPrediction, delete(OldPrediction))
                elif ids:
                    yield Finding(_count(ids, what), advice="Restore a backup: rows of another table are gone.")


def _damaged(store: Store, keys: Iterable[str]) -> set[str]:
    return {key for key in keys if not _whole(store, key)}


def _whole(store: Store, key: str) -> bool:
    try:
        return blob_key(store.blobs.get(key)) == key
    except BlobMissing:  # deleted meanwhile
        return True


def _dangling_ids(table: Table, reference: ForeignKey) -> Select[int]:
    parent = reference.column.table.alias()
    exists = select(parent.c[reference.column.name]).where(parent.c[reference.column.name] == reference.parent).exists()
    [key] = table.primary_key.columns
    return select(key).where(reference.parent.is_not(None), ~exists)


def _count(ids: list[int], what: str) -> str:
    return f"{len(ids)} {what}: {_some(ids)}."


def _some(names: Iterable[object]) -> str:
    listed = [str(name) for name in names]
    return ", ".join(listed[:5]) + (f" and {len(listed) - 5} more" if len(listed) > 5 else "")


def _parts(items: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]
