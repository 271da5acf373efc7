import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from crowdalpha.server import Platform
from crowdalpha.server.db.migrate import migrate, migration_config
from crowdalpha.server.db.tables import Base


def test_the_migrations_make_the_tables_that_the_code_maps(platform: Platform) -> None:
    with platform.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        differences = compare_metadata(context, Base.metadata)

    assert differences == []


def test_a_second_migration_changes_nothing(platform: Platform) -> None:
    migrate(platform.engine.url)

    head = ScriptDirectory.from_config(migration_config()).get_current_head()
    with platform.engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [head]


def test_a_ledger_is_not_taken_down(platform: Platform) -> None:
    config = migration_config()
    with platform.engine.connect() as connection:
        config.attributes["connection"] = connection

        with pytest.raises(RuntimeError, match="restore a backup"):
            command.downgrade(config, "base")
