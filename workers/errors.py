"""The errors that callers of `workers` meet; each message is meant for a person: what happened, why, what to do.

The engine's and the database's own are named here too, so that the page need not know the engine.
"""

from datetime import datetime

from db.errors import (
    BadKind,
    BadName,
    BadNaming,
    BadSetting,
    ChangeInProgress,
    Conflict,
    KeyReused,
    KindInUse,
    NameTaken,
    NotAwaiting,
    NotCorrected,
    NotFound,
    ProjectArchived,
    RunInProgress,
    SecondPersonNeeded,
    UploadInProgress,
)
from engine.errors import BackboneError, EngineError, ImageError, PromptError

__all__ = [
    "AddressRefused",
    "BackboneError",
    "BackboneIsSet",
    "BadKind",
    "BadName",
    "BadNaming",
    "BadPassword",
    "BadSetting",
    "ChangeInProgress",
    "Conflict",
    "EngineError",
    "ImageError",
    "KeyReused",
    "KindInUse",
    "LabelFileError",
    "LoginLocked",
    "LoginRefused",
    "MapChanged",
    "NameTaken",
    "NoPreview",
    "NotAwaiting",
    "NotCorrected",
    "NotFound",
    "NotReady",
    "NothingToAccept",
    "NothingToExport",
    "Overloaded",
    "ProjectArchived",
    "PromptError",
    "RunInProgress",
    "SecondPersonNeeded",
    "TooFewCorrections",
    "UploadInProgress",
]


class AddressRefused(Exception):
    """An address that the server does not call."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"The address {url!r} is not called: {why}.")


class BackboneIsSet(Exception):
    """Somebody wants to choose what the environment has chosen."""

    def __init__(self, setting: str) -> None:
        super().__init__(
            f"ANOMALYLOOP_BACKBONE is {setting} in the server's environment, and counts alone. Unset it there, start "
            "again, and choose here."
        )


class NotReady(Exception):
    """What is asked for will be possible soon: the model still loads, or the image is not scored yet."""


class Overloaded(Exception):
    """More inspections are asked for than this server does at once."""

    def __init__(self, in_hand: int, limit: int) -> None:
        super().__init__(
            f"{in_hand} images are being inspected, and {limit} are the most at once. Nothing was kept. Send it again "
            "in a moment; where it stays so, start another worker, or raise ANOMALYLOOP_INSPECT_AT_ONCE."
        )


class NoPreview(Exception):
    """The corrections so far were not asked what they make of an image, or have nothing to say."""


class TooFewToCompare(Exception):
    """Nothing can be unlike the others of a project: there are too few, or it has learnt better since."""

    def __init__(self, needed: int) -> None:
        super().__init__(
            f"The map of what is unlike the others needs {needed} scored images in its project, and a version that has "
            "learnt nothing but prompts. Add images, or ask for another map."
        )


class MapChanged(Exception):
    """A map is to be accepted that was not the one that was seen."""

    def __init__(self, seen: int, now: int) -> None:
        super().__init__(
            f"The map that was seen is version {seen}'s, and version {now} is in use since. Nothing was accepted: look "
            "at the new map, then accept it."
        )


class NothingToAccept(Exception):
    """A prediction that can't be taken over as a correction."""


class NothingToExport(Exception):
    """An export of corrections where there are none."""


class LabelFileError(Exception):
    """A file of labels that can't be read as a whole: not a zip, too large, or of no layout that is known."""


class TooFewCorrections(Exception):
    """A run needs more corrected images than there are."""

    def __init__(self, corrected: int, needed: int) -> None:
        missing = needed - corrected
        super().__init__(
            f"A run needs at least {needed} corrected image{'s' if needed > 1 else ''} and there "
            f"{'is' if corrected == 1 else 'are'} {corrected}: correct {missing} more, then retrain."
        )
        self.corrected, self.needed, self.missing = corrected, needed, missing


class BadPassword(Exception):
    """A password that no account can have."""


class LoginRefused(Exception):
    """Name or password is wrong, or the account is disabled: which of them is told to nobody."""

    def __init__(self) -> None:
        super().__init__("The name or the password is wrong, or the account is disabled. Try again, or ask an admin.")


class LoginLocked(Exception):
    """Too many log-ins failed; even the right password has to wait until `until`."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__("Too many log-ins failed for this name or from here. Wait some minutes, then try again.")
