"""Every setting of AnomalyLoop, typed, read from the environment (`ANOMALYLOOP_*`) or from files (`…_FILE`)."""

import difflib
import ipaddress
import os
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from pydantic import Field, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "ANOMALYLOOP_"
# Settings that may hold a password; what is in them is never shown.
SECRETS = ("database_url", "broker_url", "blob_url", "first_admin_password")


def _parts(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


class SettingFileError(Exception):
    """A file that a setting should be read from can't be; the message says which and why."""


class BadSettings(Exception):
    """Settings that can't be used; the message says which and why, and shows no secret."""


class _Files(PydanticBaseSettingsSource):
    """The first line of the file that `ANOMALYLOOP_<NAME>_FILE` names, as containers are given their secrets."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The value of one setting; None where no file is named for it."""
        variable = f"{PREFIX}{field_name.upper()}_FILE"
        file = os.environ.get(variable)
        if not file:
            return None, field_name, False
        if variable.removesuffix("_FILE") in os.environ:
            raise SettingFileError(f"Both {variable} and {variable.removesuffix('_FILE')} are set. Set one of them.")
        try:
            return Path(file).read_text(encoding="utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            raise SettingFileError(f"{variable} names {file}, which can't be read ({error}).") from error

    def __call__(self) -> dict[str, Any]:
        """The values of all settings that a file is named for."""
        values = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in values.items() if value is not None}


class Settings(BaseSettings):
    """One field a setting; the environment variable is `ANOMALYLOOP_` + the field's name in capitals.

    With none set: SQLite, files, an embedded broker and worker, the embedded backbone, 127.0.0.1.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid")

    home: Path = Field(Path("data"), description="Folder for the database, blobs, caches and the embedded broker.")
    database_url: str = Field("", description="SQLAlchemy URL; empty: SQLite in HOME.")
    broker_url: str = Field("", description="Celery broker URL (Redis, RabbitMQ); empty: embedded broker and worker.")
    blob_url: str = Field("", description="fsspec URL for images, maps and masks; empty: a folder in HOME.")

    backbone: str = Field(
        "embedded",
        description="`embedded`, an open_clip `model/tag`, or `model@file` with a local weights file; set, it counts "
        "in place of what is chosen under Settings.",
    )
    published_url: str = Field(
        "https://raw.githubusercontent.com/zqhang/AnomalyCLIP",
        pattern="^https?://.+$",
        description="Where the prompts lie that the paper's authors published; a mirror's address.",
    )
    device: str = Field(
        "auto", description="`auto` (CUDA where there is one), `cpu`, `cuda`, `cuda:1`, `mps`: Apple's GPU."
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        "auto",
        description="Of the vision tower: `auto` (bf16 where the device multiplies in it, else fp32), `fp32`, `bf16`, "
        "`fp16`.",
    )
    compile: bool = Field(
        False, description="Let torch.compile fuse the vision tower's blocks: pays on a GPU; starts some 15 s later."
    )
    image_size: int = Field(
        0,
        ge=0,
        description="Side in px of the square that images are seen as; 0: the backbone's own.",
    )
    score_threads: int = Field(0, ge=0, description="CPU threads for the model; 0: torch's choice.")

    host: str = Field("127.0.0.1", description="Address to serve on; one that others can reach needs accounts.")
    port: int = Field(7860, ge=1, le=65535, description="Port to serve on.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="How much is logged.")
    log_format: Literal["text", "json"] = Field("text", description="`text` for people, `json` for machines.")

    auth: Literal["auto", "on"] = Field(
        "auto", description="Accounts: `auto` (off on loopback, on elsewhere), `on` (also on loopback, behind a proxy)."
    )
    public_url: str = Field(
        "", pattern="^(https?://[^/]+)?$", description="Where people reach the page, behind a proxy: `https://…`."
    )
    trusted_proxies: str = Field(
        "127.0.0.1,::1",
        description="Proxies whose X-Forwarded-For says where a request comes from: addresses or networks, by commas.",
    )
    first_admin: str = Field("", description="With accounts and no admin yet: the name of the one to make…")
    first_admin_password: str = Field("", description="…and its password; better in a file (`…_FILE`).")
    shutdown_seconds: int = Field(
        3,
        ge=0,
        description="What the page may take, when it is told to end, for uploads under way, in seconds.",
    )
    session_hours: float = Field(12.0, gt=0, description="A browser unused for so long has to sign in again, in hours.")
    login_attempts: int = Field(5, ge=1, description="Failed log-ins for a name from an address until both must wait…")
    login_wait_minutes: float = Field(15.0, gt=0, description="…for so long, in minutes.")

    max_upload_mb: float = Field(64.0, gt=0, description="Largest file accepted, in MB.")
    max_import_mb: float = Field(2048.0, gt=0, description="Largest import of labels and images, unpacked, in MB.")
    max_import_files: int = Field(50_000, ge=1, description="Most files in an import of labels and images, unpacked.")
    max_pixels: int = Field(100_000_000, gt=0, description="Largest image accepted, in pixels.")
    max_files: int = Field(1000, ge=1, description="Most files in one upload.")
    max_minute_files: int = Field(3000, ge=1, description="Most files that a user may send in a minute.")
    max_minute_mb: float = Field(8192.0, gt=0, description="Most that a user may send in a minute, in MB.")
    inspect_at_once: int = Field(
        16, ge=1, le=1000, description="Most images that are inspected at the same time; more get a 503 at once."
    )
    inspect_seconds: float = Field(
        10.0, gt=0, description="With an external broker: how long an inspection waits for a worker, in seconds."
    )
    page_upload_hours: float = Field(
        6.0, gt=0, description="A file that was chosen on the page and never used is deleted after so long, in hours."
    )
    upload_key_hours: float = Field(
        24.0, gt=0, description="How long an upload with an Idempotency-Key is remembered, in hours."
    )
    webhook_private: bool = Field(
        False, description="Whether webhooks may lead into private networks and to this machine."
    )
    keep_map_days: float = Field(
        30.0, gt=0, description="What retired versions said of images that nobody corrected is deleted after so long."
    )
    keep_audit_days: float = Field(365.0, gt=0, description="Entries of the audit log are deleted after so long.")
    feature_cache_gb: float = Field(4.0, gt=0, description="Disk budget of the feature cache, in GB.")

    min_corrections: int = Field(1, ge=1, description="Fewest corrected images that a run starts with.")
    retrain_after: int = Field(10, ge=1, description="The schedule starts a run at this many new corrections…")
    retrain_hours: float = Field(24.0, gt=0, description="…or when the oldest new correction is this old, in hours.")
    tuning_epochs: int = Field(30, ge=1, description="Longest run, in epochs; the hold-out chooses the length.")
    lease_seconds: float = Field(30.0, gt=0, description="A run whose heartbeat is older than this is started again.")

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *sources: PydanticBaseSettingsSource, **named: PydanticBaseSettingsSource
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What a test or a caller gives counts first, then the environment, then files."""
        return named["init_settings"], named["env_settings"], _Files(settings_cls)

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value and not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("it begins with neither sqlite:/// nor postgresql+psycopg:// (postgres:// is not enough)")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _addresses(cls, value: str) -> str:
        for part in _parts(value):
            try:
                ipaddress.ip_network(part)
            except ValueError as error:
                raise ValueError(f"{part!r} is no IP address and no network ({error})") from None
        return value

    @property
    def proxies(self) -> list[str]:
        """The addresses and networks of the proxies that are believed."""
        return _parts(self.trusted_proxies)

    @property
    def resolved_database_url(self) -> str:
        """The SQLAlchemy URL in use."""
        # What ends the path of a URL may be in a folder's name.
        return self.database_url or f"sqlite:///{quote(str(self.home.resolve() / 'anomalyloop.db'), safe='/ ')}"

    @property
    def resolved_blob_url(self) -> str:
        """The fsspec URL in use."""
        return self.blob_url or f"file://{self.home.resolve() / 'blobs'}"

    @property
    def backbone_is_set(self) -> bool:
        """Whether the environment or a file names the backbone; then nobody else chooses it."""
        return "backbone" in self.model_fields_set

    @property
    def models_folder(self) -> Path:
        """Where files of weights are that can be chosen on the page."""
        return self.home / "models"

    @property
    def embedded_broker(self) -> bool:
        """True when this process starts its own broker and worker."""
        return not self.broker_url


@lru_cache
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()


def read_settings() -> Settings:
    """The same for a process that starts. Raises BadSettings."""
    try:
        return get_settings()
    except SettingFileError as error:
        raise BadSettings(str(error)) from error
    except ValidationError as error:
        faults = "; ".join(_fault(str(one["loc"][0]), one["msg"], one["input"]) for one in error.errors())
        raise BadSettings(f"A setting in the environment can't be used. {faults}") from None


def _fault(name: str, message: str, value: object) -> str:
    shown = "" if name in SECRETS else f" (is {value!r})"
    return f"{PREFIX}{name.upper()}: {message}{shown}"


def misspelt() -> list[str]:
    """A sentence for each ANOMALYLOOP_… in the environment that is no setting, with the nearest that is one."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    known += [f"{name}_FILE" for name in known]
    given = [name for name in os.environ if name.upper().startswith(PREFIX) and name not in known]
    found = []
    for name in sorted(given):
        words = [one.removeprefix(PREFIX) for one in known]
        near = difflib.get_close_matches(name.upper().removeprefix(PREFIX), words, 1, 0.6)
        meant = f" Is {PREFIX}{near[0]} meant?" if near else ""
        found.append(f"There is no setting {name}; it is passed over.{meant}")
    return found
