"""The only place that wires things: from settings to a running platform."""

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from crowdalpha.server.blobs import BlobStore, open_blobs
from crowdalpha.server.db.embedded import embedded_database
from crowdalpha.server.db.engine import build_engine, build_sessions, driver_url
from crowdalpha.server.db.migrate import migrate
from crowdalpha.server.settings import Settings

__all__ = ["Platform", "open_platform"]

KEY_BYTES = 32


@dataclass(frozen=True)
class Platform:
    """Everything that a request, a task or a command needs to call services."""

    settings: Settings
    engine: Engine
    blobs: BlobStore
    signing_key: bytes = field(repr=False)
    sessions: sessionmaker[Session]

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Give one session that is committed when the block ends well, and rolled back when it raises."""
        with self.sessions.begin() as session:
            yield session


@contextmanager
def open_platform(settings: Settings) -> Iterator[Platform]:
    """Start what `settings` name, migrate the database, and stop again what was started.

    Safe to call again after the process was killed at any moment.

    Raises
    ------
    DatabaseUnavailable
        If PostgreSQL cannot be started or reached.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        if settings.database_url is None:
            url = stack.enter_context(embedded_database(settings.data_dir / "postgres", prepare=migrate))
        else:
            url = driver_url(settings.database_url)
            migrate(url)
        engine = build_engine(
            url,
            pool_size=settings.pool_size,
            lock_timeout=settings.lock_timeout,
            statement_timeout=settings.statement_timeout,
        )
        stack.callback(engine.dispose)
        yield Platform(
            settings=settings,
            engine=engine,
            blobs=open_blobs(settings.blob_url, folder=settings.data_dir / "blobs"),
            signing_key=_signing_key(settings),
            sessions=build_sessions(engine),
        )


def _signing_key(settings: Settings) -> bytes:
    if settings.signing_key is not None:
        return settings.signing_key.get_secret_value().encode()
    return _generated_key(settings.data_dir / "signing.key")


def _generated_key(path: Path) -> bytes:
    """Read the key of this platform, made at its first start and readable by its owner alone."""
    if not path.exists():
        temporary = path.with_name(f"{path.name}.{os.getpid()}")
        temporary.unlink(missing_ok=True)
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(temporary, path)  # unlike a rename, leaves a key that another process made first
        temporary.unlink()
    return path.read_bytes()
