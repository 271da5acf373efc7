"""The one engine of a platform and the session that its services take."""

from datetime import timedelta

from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.orm import Session, sessionmaker

__all__ = ["build_engine", "build_sessions", "driver_url"]


def driver_url(dsn: str) -> URL:
    """Read a PostgreSQL address and name the driver that this package uses."""
    return make_url(dsn).set(drivername="postgresql+psycopg")


def build_engine(url: URL, *, pool_size: int, lock_timeout: timedelta, statement_timeout: timedelta) -> Engine:
    """Build an engine whose every connection has UTC and the two timeouts set."""
    options = (
        "-c timezone=UTC"
        f" -c lock_timeout={_milliseconds(lock_timeout)}"
        f" -c statement_timeout={_milliseconds(statement_timeout)}"
    )
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={"options": options},
    )


def build_sessions(engine: Engine) -> sessionmaker[Session]:
    """Build the session factory: values stay readable after the commit."""
    return sessionmaker(engine, expire_on_commit=False)


def _milliseconds(duration: timedelta) -> int:
    return int(duration.total_seconds() * 1000)
