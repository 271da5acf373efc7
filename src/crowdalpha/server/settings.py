"""Everything that an operator can change, read once at start."""

from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
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


def _networks(text: object) -> object:
    """Split what the environment gives."""
    return [part.strip() for part in text.split(",") if part.strip()] if isinstance(text, str) else text


def _base(address: str) -> str:
    """Check the address of the platform: scheme and host, maybe a path, no slash at the end."""
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("not an address; write https://host, or https://host/path")
    return address.rstrip("/")


def _issuer(address: str) -> str:
    """Check the address of a provider: encrypted, unless it is on this machine."""
    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in {"localhost", "127.0.0.1", "::1"}):
        return address
    raise ValueError("not the address of a provider; write https://host")


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
    public_url: Annotated[str, AfterValidator(_base)] | None = Field(
        default=None,
        description="Address that people reach this platform at, such as https://alpha.example.org; letters need it.",
    )
    smtp_url: SecretStr | None = Field(
        default=None,
        description="Mail server (smtp://user:password@host:587 with STARTTLS, smtps://, smtp+plain://); "
        "without it links are shown to the operator.",
    )
    mail_from: str | None = Field(default=None, description="Sender of letters; needed with `smtp_url`.")
    oidc_issuer: Annotated[str, AfterValidator(_issuer)] | None = Field(
        default=None,
        description="OpenID Connect provider to sign in through, as https://id.example.org; needs crowdalpha[oidc].",
    )
    oidc_client_id: str | None = Field(default=None, description="This platform's name at the provider.")
    oidc_client_secret: SecretStr | None = Field(default=None, description="This platform's word at the provider.")
    oidc_opens_accounts: bool = Field(
        default=False, description="Whether the provider's people get an account though nobody invited them."
    )
    webhook_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_networks)] = Field(
        default=(),
        description="Networks that webhooks may call though not public, also without TLS, as 10.1.0.0/16,fd00::/8.",
    )
    webhook_timeout: timedelta = Field(
        default=timedelta(seconds=10), description="Longest call of a webhook, from the connection to the answer."
    )
    webhook_disabled_after: timedelta = Field(
        default=timedelta(days=5), description="How long a webhook may fail before it is called no more."
    )
    pool_size: int = Field(default=10, ge=1, le=200, description="Most database connections this process keeps.")
    lock_timeout: timedelta = Field(
        default=timedelta(seconds=30), description="Longest wait for a row that another transaction holds."
    )
    statement_timeout: timedelta = Field(default=timedelta(minutes=5), description="Longest run of one SQL statement.")
    meta_model_delay: timedelta = Field(
        default=timedelta(days=7),
        ge=timedelta(0),
        description="Time from a close until everybody may have its meta model.",
    )
    rate_per_key: float = Field(
        default=50.0, ge=0, description="Requests a second that one key may send in the long run; 0 is no limit."
    )
    burst_per_key: int = Field(default=500, ge=1, description="Requests that one key may send at once.")
    rate_per_address: float = Field(
        default=200.0, ge=0, description="Requests a second that one address may send in the long run; 0 is no limit."
    )
    burst_per_address: int = Field(default=2000, ge=1, description="Requests that one address may send at once.")
    body_max_bytes: int = Field(
        default=17 << 20, ge=1, description="Most bytes of the body of a request; uploads have a limit of their own."
    )
    upload_max_bytes: int = Field(default=1 << 28, ge=1, description="Most bytes of one uploaded file.")
    upload_pause: timedelta = Field(
        default=timedelta(seconds=30), description="Longest wait for the next bytes of an upload."
    )
    upload_timeout: timedelta = Field(default=timedelta(minutes=10), description="Longest time of one upload.")
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

    @model_validator(mode="after")
    def _letters_are_whole(self) -> Self:
        """Refuse letters without a sender, or with links that a request could make up."""
        if self.smtp_url is not None and (self.mail_from is None or self.public_url is None):
            raise ValueError("smtp_url needs mail_from and public_url; set them too")
        return self

    @model_validator(mode="after")
    def _provider_is_whole(self) -> Self:
        """Refuse a provider that does not know this platform, or cannot send a browser back."""
        if self.oidc_issuer is not None and None in {self.oidc_client_id, self.oidc_client_secret, self.public_url}:
            raise ValueError("oidc_issuer needs oidc_client_id, oidc_client_secret and public_url; set them too")
        return self


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
