"""Every setting of AnomalyLoop, typed, read from the environment (`ANOMALYLOOP_*`)."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """One field a setting; the environment variable is `ANOMALYLOOP_` + the field's name in capitals.

    With none set: SQLite, files, an embedded broker and worker, the embedded backbone, 127.0.0.1.
    """

    model_config = SettingsConfigDict(env_prefix="ANOMALYLOOP_", extra="forbid")

    home: Path = Field(Path("data"), description="Folder for the database, blobs, caches and the embedded broker.")
    database_url: str = Field("", description="SQLAlchemy URL; empty: SQLite in HOME.")
    broker_url: str = Field("", description="Celery broker URL (Redis, RabbitMQ); empty: embedded broker and worker.")
    blob_url: str = Field("", description="fsspec URL for images, maps and masks; empty: a folder in HOME.")

    backbone: str = Field(
        "embedded",
        description="`embedded`, an open_clip `model/tag`, or `model@file` with a local weights file.",
    )
    device: str = Field("auto", description="`auto` (CUDA where there is one), `cpu`, `cuda`, `cuda:1`.")
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        "auto",
        description="Of the vision tower: `auto` (bf16 where the device multiplies in it, else fp32), `fp32`, `bf16`, "
        "`fp16`.",
    )
    image_size: int = Field(
        0, ge=0, description="Side in px that images are resized to; 0: the backbone's own default."
    )
    score_threads: int = Field(0, ge=0, description="CPU threads for the model; 0: torch's choice.")

    host: str = Field("127.0.0.1", description="Address to serve on; only loopback, without accounts.")
    port: int = Field(7860, ge=1, le=65535, description="Port to serve on.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="How much is logged.")
    log_format: Literal["text", "json"] = Field("text", description="`text` for people, `json` for machines.")

    max_upload_mb: float = Field(64.0, gt=0, description="Largest file accepted, in MB.")
    max_import_mb: float = Field(2048.0, gt=0, description="Largest import of labels and images, unpacked, in MB.")
    max_pixels: int = Field(100_000_000, gt=0, description="Largest image accepted, in pixels.")
    upload_key_hours: float = Field(
        24.0, gt=0, description="How long an upload with an Idempotency-Key is remembered, in hours."
    )
    webhook_private: bool = Field(
        False, description="Whether webhooks may lead into private networks and to this machine."
    )
    feature_cache_gb: float = Field(4.0, gt=0, description="Disk budget of the feature cache, in GB.")

    min_corrections: int = Field(1, ge=1, description="Fewest corrected images that a run starts with.")
    retrain_after: int = Field(10, ge=1, description="The schedule starts a run at this many new corrections…")
    retrain_hours: float = Field(24.0, gt=0, description="…or when the oldest new correction is this old, in hours.")
    tuning_epochs: int = Field(30, ge=1, description="Longest run, in epochs; the hold-out chooses the length.")
    lease_seconds: float = Field(30.0, gt=0, description="A run whose heartbeat is older than this is started again.")

    @property
    def resolved_database_url(self) -> str:
        """The SQLAlchemy URL in use."""
        return self.database_url or f"sqlite:///{self.home.resolve() / 'anomalyloop.db'}"

    @property
    def resolved_blob_url(self) -> str:
        """The fsspec URL in use."""
        return self.blob_url or f"file://{self.home.resolve() / 'blobs'}"

    @property
    def embedded_broker(self) -> bool:
        """True when this process starts its own broker and worker."""
        return not self.broker_url


@lru_cache
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
