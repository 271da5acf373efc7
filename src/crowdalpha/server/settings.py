"""Everything that an operator can change, read once at start."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from crowdalpha.errors import InputError
from crowdalpha.server.log import LogFormat

__all__ = ["Settings", "load_settings"]


def _postgres(address: str) -> str:
    """Check an address; pydantic's own type refuses those of a socket, which name no host."""
    try:
        backend = make_url(address).get_backend_name()
    except ArgumentError as error:
        raise ValueError("not an address; write postgresql://user:password@host:port/database") from error
    if backend not in {"postgresql", "postgres"}:
        raise ValueError(f"{backend} is not supported; use PostgreSQL")
    return address


class Settings(BaseSettings):
    """Settings of one platform; each may come from the environment as `CROWDALPHA_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="CROWDALPHA_", frozen=True, extra="forbid", hide_input_in_errors=True)

    data_dir: Path = Field(
        default=Path("crowdalpha-data"),
        description="Folder of the platform: embedded database, blobs, generated secrets.",
    )
    database_url: Annotated[str, AfterValidator(_postgres)] | None = Field(
        default=None,
        repr=False,
        description="PostgreSQL to use; without it one is started in `data_dir`/postgres.",
    )
    blob_url: str | None = Field(
        default=None,
        repr=False,
        description="Object store (s3://, gs://, az://, file://); without it the folder `data_dir`/blobs.",
    )
    signing_key: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="Key that signs receipts; without it one is generated in `data_dir`/signing.key.",
    )
    pool_size: int = Field(default=10, ge=1, le=200, description="Most database connections this process keeps.")
    lock_timeout: timedelta = Field(
        default=timedelta(seconds=30), description="Longest wait for a row that another transaction holds."
    )
    statement_timeout: timedelta = Field(default=timedelta(minutes=5), description="Longest run of one SQL statement.")
    worker_jobs: int = Field(default=2, ge=1, le=64, description="Most jobs that one worker runs at once.")
    stop_after: timedelta = Field(
        default=timedelta(seconds=20), description="How long jobs under way have to end when a worker is told to stop."
    )
    log_format: LogFormat = Field(
        default="auto", description="`json` or `text`; `auto` is text on a terminal and JSON elsewhere."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Least important events that are logged."
    )


def load_settings(*, data_dir: Path | None = None) -> Settings:
    """Read the settings from the environment.

    Parameters
    ----------
    data_dir : Path, optional
        Wins over the environment.

    Raises
    ------
    InputError
        If a setting is refused; names it as the environment does.
    """
    try:
        return Settings() if data_dir is None else Settings(data_dir=data_dir)
    except ValidationError as error:
        parts = (("_".join(map(str, part["loc"])).upper(), part["msg"]) for part in error.errors())
        raise InputError("; ".join(f"CROWDALPHA_{name}: {message}" for name, message in parts)) from error
