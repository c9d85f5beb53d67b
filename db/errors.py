"""What the database room can refuse, each with a sentence for people: what happened, why, what to do."""


class DatabaseError(Exception):
    """Base of everything that this room raises on purpose."""


class NotFound(DatabaseError):
    """No such row."""

    def __init__(self, what: str, key: object) -> None:
        super().__init__(f"There is no {what} {key}. It may have been deleted; reload to see what is there.")


class Conflict(DatabaseError):
    """Someone saved in between. `current_revision` is the newest one now, 0 where there is none."""

    def __init__(self, current_revision: int, expected_revision: int) -> None:
        self.current_revision = current_revision
        super().__init__(
            f"This change was made on revision {expected_revision}, but the newest is {current_revision}: "
            "someone saved in between. Load the image again and repeat the change."
        )


class NotCorrected(DatabaseError):
    """An image without a correction is to be golden, or its defects are to be named."""

    def __init__(self, image_id: int) -> None:
        super().__init__(
            f"Nobody has corrected image {image_id} yet. Correct or accept it first: the golden set and kinds of "
            "defect rest on what people said."
        )


class BadKind(DatabaseError):
    """A kind of defect that can't be: its name, colour, key or examples, or one that there is already."""


class KindInUse(DatabaseError):
    """A kind of defect is to be deleted that corrections name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Corrections name the kind of defect {name!r}, also earlier ones, so it can't be deleted. Rename it, or "
            "give those regions another kind."
        )


class BadNaming(DatabaseError):
    """A kind of defect for something that is no region of the correction."""


class SecondPersonNeeded(DatabaseError):
    """A version is put in service, or declined, by someone who may not in a project that wants a second person."""

    def __init__(self, version: int, started_by: str) -> None:
        who = (
            "an admin, as the schedule started its run"
            if started_by == "schedule"
            else f"another user than {started_by}"
        )
        super().__init__(
            f"The project wants a second person to decide on version {version}: {who}. Ask one, or have an admin "
            "change that in Settings."
        )


class NotAwaiting(DatabaseError):
    """A version is approved or declined that waits for nobody."""

    def __init__(self, version: int) -> None:
        super().__init__(
            f"Version {version} waits for nobody: it was decided on already. Reload to see what it is now."
        )


class RunInProgress(DatabaseError):
    """A project has one live run at most."""

    def __init__(self, run_id: int) -> None:
        self.run_id = run_id
        super().__init__(f"Run {run_id} of this project is not finished yet. Wait for its end, or cancel it.")


class ChangeInProgress(DatabaseError):
    """One backbone is brought in at a time."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The model {name} is on its way already. Wait until it is in use, or cancel it.")


class BadCursor(DatabaseError):
    """A cursor that no page of this order handed out."""

    def __init__(self, cursor: str) -> None:
        super().__init__(f"{cursor!r} is not a cursor of this list. Start again without one.")


class BadSetting(DatabaseError):
    """A project setting that does not exist, or a value outside its range."""


class BadName(DatabaseError):
    """A name that no project can have."""


class NameTaken(DatabaseError):
    """A name that another project has, archived ones included, or another user."""

    def __init__(self, name: str, what: str = "project") -> None:
        rests = "archived" if what == "project" else "disabled"
        super().__init__(f"There is a {what} {name!r} already, perhaps one that is {rests}. Choose another name.")


class ProjectArchived(DatabaseError):
    """An archived project was asked to work."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The project {name!r} is archived: nothing is added to it and no run starts. Restore it first."
        )


class BadBlobKey(DatabaseError):
    """A blob key that `BlobStore.put` can't have returned."""

    def __init__(self, key: str) -> None:
        super().__init__(f"{key!r} is not a blob key. Keys come from the store itself and look like ab/ab12…")


class BlobMissing(DatabaseError):
    """The database names a blob that the store does not hold."""

    def __init__(self, key: str, where: str) -> None:
        super().__init__(f"The file {key} is missing in {where}. Restore it from a backup of that place.")


class BlobsUnavailable(DatabaseError):
    """The place for blobs can't be read or written now, which says nothing of what lies in it."""

    def __init__(self, where: str, error: Exception) -> None:
        super().__init__(
            f"The place for images, maps and masks, {where}, can't be used now ({type(error).__name__}: {error}). "
            "What was saved before is safe; this was not saved. Try again in a moment, or see to that place: is it "
            "there, may it be written to, does its server answer?"
        )


class StorageFull(BlobsUnavailable):
    """There is no room for another blob."""

    def __init__(self, where: str, error: Exception) -> None:
        DatabaseError.__init__(
            self,
            f"There is no room left in {where} ({error}). What was saved before is safe; this was not saved. Make "
            "room there, then try again: nothing has to be restarted.",
        )


class BadBackup(DatabaseError):
    """A file that is no whole backup, or one that can't be restored here."""


class KeyReused(DatabaseError):
    """An idempotency key that stands for another upload."""

    def __init__(self, key: str) -> None:
        super().__init__(f"The Idempotency-Key {key!r} was used for another upload. Use a new key for each upload.")


class UploadInProgress(DatabaseError):
    """The same upload, under the same key, is being taken in right now."""

    def __init__(self, key: str) -> None:
        super().__init__(f"The upload with the Idempotency-Key {key!r} is not finished yet. Send it again in a moment.")


class BadText(DatabaseError):
    """A text that no database keeps."""

    def __init__(self) -> None:
        super().__init__("A text has a NUL character or half a character in it, and can't be kept. Leave it out.")
