"""An upload that is sent twice under one key is taken in once, and answered alike."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Any

from db.errors import KeyReused, UploadInProgress
from db.images.upload_keys import drop_key, keep_answer, take_key
from db.store import Store
from settings import get_settings


def fingerprint(project_id: int, files: list[tuple[str, IO[bytes]]]) -> str:
    """sha256, in hex, of the project and of the names and bytes of the files, which are read and rewound."""
    digest = hashlib.sha256(str(project_id).encode())
    for name, file in files:
        digest.update(name.encode() + b"\0")
        digest.update(hashlib.file_digest(file, "sha256").digest())  # type: ignore[arg-type]
        file.seek(0)
    return digest.hexdigest()


@dataclass(frozen=True)
class Key:
    """A caller's key: another caller's is another one, whatever word they choose."""

    user: str
    word: str

    @property
    def kept(self) -> str:
        """As the database has it."""
        return hashlib.sha256(json.dumps([self.user, self.word]).encode()).hexdigest()


def once(
    store: Store, key: Key, mark: str, take_in: Callable[[], list[dict[str, Any]]]
) -> tuple[list[dict[str, Any]], bool]:
    """What `take_in` answers, or what it answered the first time.

    Args:
        store: where the keys are.
        key: the caller's.
        mark: the upload's fingerprint.
        take_in: does the upload; an empty answer is not remembered, as nothing was kept.

    Returns:
        The answer, and True where it is that of the first time.

    Raises:
        KeyReused, UploadInProgress: see `db.images.upload_keys.take_key`.
    """
    try:
        with store.session() as session:
            known = take_key(session, key.kept, mark, timedelta(hours=get_settings().upload_key_hours))
    except (KeyReused, UploadInProgress) as error:
        raise type(error)(key.word) from None
    if known is not None:
        return known, True
    answer: list[dict[str, Any]] = []
    try:
        answer = take_in()
    finally:
        with store.session() as session:
            if answer:
                keep_answer(session, key.kept, answer)
            else:
                drop_key(session, key.kept)
    return answer, False
