"""Bring a database to the newest schema; safe to run at every start, by many processes at once."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from crowdalpha.server.db.queue import prepare_queue
from crowdalpha.server.errors import DatabaseUnavailable

__all__ = ["migrate", "migration_config"]

MIGRATION_LOCK = 4_201_001  # advisory lock: one process migrates, the others wait and find it done


def migration_config() -> Config:
    """Return Alembic's configuration, without a file: the scripts lie in this package."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def migrate(url: URL) -> None:
    """Apply every migration that is still to be applied, all in one transaction."""
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            config = migration_config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            prepare_queue(connection)
    except OperationalError as error:
        raise DatabaseUnavailable(f"the database cannot be reached: {error.orig}") from error
    finally:
        engine.dispose()
