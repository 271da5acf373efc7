"""The schema of the queue, which is `procrastinate`'s own, kept apart from our tables.

Its scripts name nothing by schema: they run with the schema first in the search path, and its functions are told to
do so too, so that a job can be put into the queue from any connection.
"""

from pathlib import Path

from procrastinate.schema import SchemaManager
from psycopg.rows import tuple_row
from sqlalchemy import Connection, text

__all__ = ["QUEUE_SCHEMA", "prepare_queue"]

QUEUE_SCHEMA = "procrastinate"
SCRIPTS = Path(SchemaManager.get_migrations_path())
OWN_PATH = f"""
DO $$
DECLARE function regprocedure;
BEGIN
    FOR function IN SELECT oid FROM pg_proc WHERE pronamespace = '{QUEUE_SCHEMA}'::regnamespace LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = {QUEUE_SCHEMA}, pg_catalog', function);
    END LOOP;
END $$
"""  # noqa: S608  # a constant


def prepare_queue(connection: Connection) -> None:
    """Make the queue's tables, or bring them to the installed version; safe to repeat.

    Parameters
    ----------
    connection : Connection
        Of the caller, who holds the migration lock and commits.
    """
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {QUEUE_SCHEMA}"))
    connection.execute(text(f"CREATE TABLE IF NOT EXISTS {QUEUE_SCHEMA}.applied_script (name text PRIMARY KEY)"))
    applied = set(connection.scalars(text(f"SELECT name FROM {QUEUE_SCHEMA}.applied_script")))  # noqa: S608  # a constant
    known = sorted(path.name for path in SCRIPTS.glob("*.sql"))
    if applied.issuperset(known):
        return
    before = connection.scalar(text("SELECT current_setting('search_path')"))
    _set_path(connection, QUEUE_SCHEMA)
    if applied:
        for name in sorted(set(known) - applied):
            _run(connection, (SCRIPTS / name).read_text(encoding="utf-8"))
    else:
        _run(connection, SchemaManager.get_schema())
    _run(connection, OWN_PATH)
    _set_path(connection, str(before))
    connection.execute(
        text(f"INSERT INTO {QUEUE_SCHEMA}.applied_script SELECT unnest(CAST(:names AS text[])) ON CONFLICT DO NOTHING"),
        {"names": known},
    )


def _set_path(connection: Connection, path: str) -> None:
    connection.execute(text("SELECT set_config('search_path', :path, true)"), {"path": path})


def _run(connection: Connection, script: str) -> None:
    """Run many statements as one, past SQLAlchemy, which reads colons in them as parameters."""
    driver = connection.connection.dbapi_connection
    if driver is None:
        raise RuntimeError("the connection is closed")
    driver.cursor(row_factory=tuple_row).execute(script)
