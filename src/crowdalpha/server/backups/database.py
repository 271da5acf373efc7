"""PostgreSQL out of and into a file, by its own programs."""

import subprocess
from pathlib import Path

from sqlalchemy import URL, create_engine, text
from sqlalchemy.pool import NullPool

from crowdalpha.errors import InputError
from crowdalpha.server.db.embedded import binary
from crowdalpha.server.errors import ServerError

__all__ = ["demand_empty", "dump_database", "restore_database"]

TABLES = text("SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')")


def dump_database(url: URL, path: Path) -> None:
    """Write a snapshot of a database to a file."""
    _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={path}", url=url, option="--dbname")


def restore_database(url: URL, path: Path) -> None:
    """Fill an empty database from a file, in one transaction."""
    options = ("--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error")
    _run("pg_restore", *options, str(path), url=url, option="--dbname")


def demand_empty(url: URL) -> None:
    """Refuse a database that has tables."""
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            count = connection.scalar(TABLES)
    finally:
        engine.dispose()
    if count:
        raise InputError(f"the database has {count} tables; restore into an empty one")


def _run(program: str, *arguments: str, url: URL, option: str) -> None:
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    line = [str(binary(program)), *arguments, f"{option}={address}"]
    done = subprocess.run(line, check=False, capture_output=True, text=True)  # noqa: S603  # PostgreSQL's own program
    if done.returncode != 0:
        raise ServerError(f"{program} failed: {done.stderr.strip()[-600:]}")
