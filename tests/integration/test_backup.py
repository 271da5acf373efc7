"""A backup of a played platform, restored into an empty folder: the same to the last row and byte."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import text

from crowdalpha.errors import InputError
from crowdalpha.rules.ids import RoundNumber
from crowdalpha.server import Platform, Settings, open_platform
from crowdalpha.server.backups.archive import write_backup
from crowdalpha.server.backups.restoring import restore_backup
from crowdalpha.server.ledger import service as ledger
from crowdalpha.server.rounds.service import get_round, resolve_round
from tests.fixtures import tournament as make

ONE = RoundNumber(1)
TABLES = text("""
    SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('public', 'procrastinate')
""")


def contents(platform: Platform) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    with platform.engine.connect() as connection:
        names = connection.scalars(TABLES).all()
        found = {name: connection.execute(text(f"TABLE {name}")).all() for name in names}
    return {name: sorted(map(str, rows)) for name, rows in found.items()}


@pytest.fixture
def empty() -> Iterator[Path]:
    """A folder that the database's user can reach, which pytest's own is not for long."""
    with TemporaryDirectory(prefix="crowdalpha-restored-", ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "data"


@pytest.fixture
def played(fresh_platform: Platform, tmp_path: Path) -> Platform:
    with fresh_platform.session() as session:
        models = make.tournament(fresh_platform, session, tmp_path / "dataset")
        make.scored_round(fresh_platform, session, models)
        resolve_round(session, blobs=fresh_platform.blobs, number=ONE, now=make.resolves_at(1))
    return fresh_platform


def test_a_restored_platform_is_the_same_and_works_on(played: Platform, tmp_path: Path, empty: Path) -> None:
    archive = tmp_path / "platform.backup"
    written = write_backup(played, archive, now=make.START)
    there = Settings(data_dir=empty)

    restored = restore_backup(archive, there)

    assert restored == written
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    with open_platform(there) as platform:
        assert contents(platform) == contents(played)
        assert set(platform.blobs.all()) == set(played.blobs.all())
        with platform.session() as session:
            assert get_round(session, ONE).state.value == "resolved"
            assert ledger.audit(session) > 0
            models = [make.staked_model(session, "newcomer")]
            make.closed_round(platform, session, models, 2)
    with pytest.raises(InputError, match="holds a platform; restore into another folder"):
        restore_backup(archive, there)


def test_a_damaged_archive_restores_nothing(played: Platform, tmp_path: Path, empty: Path) -> None:
    archive = tmp_path / "platform.backup"
    write_backup(played, archive, now=make.START)
    content = bytearray(archive.read_bytes())
    content[2000] ^= 1
    archive.write_bytes(content)

    with pytest.raises(InputError, match=r"database\.dump is damaged"):
        restore_backup(archive, Settings(data_dir=empty))

    assert not (empty / "postgres").exists()


def test_an_archive_that_was_cut_off_is_refused(played: Platform, tmp_path: Path, empty: Path) -> None:
    archive = tmp_path / "platform.backup"
    write_backup(played, archive, now=make.START)
    os.truncate(archive, archive.stat().st_size // 2)

    with pytest.raises(InputError, match=r"cut off|cannot be read"):
        restore_backup(archive, Settings(data_dir=empty))
