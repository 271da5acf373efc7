"""The embedded PostgreSQL: first start, reuse, and what is left when a process is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil  # type: ignore[import-untyped]  # ships no types
import pytest
from sqlalchemy import URL, create_engine, text
from sqlalchemy.pool import NullPool

from crowdalpha.rules.errors import NotFound
from crowdalpha.rules.ids import AccountId
from crowdalpha.server import DatabaseUnavailable, Settings, open_platform
from crowdalpha.server.accounts.service import create_account, get_account, list_accounts
from crowdalpha.server.db.embedded import embedded_database
from tests.fixtures.tournament import START

REPOSITORY = Path(__file__).parents[2]

OPEN_AND_WAIT = """
import sys, time
from pathlib import Path
from crowdalpha.server import Settings, open_platform
from crowdalpha.server.accounts.service import create_account
from tests.fixtures.tournament import START
with open_platform(Settings(data_dir=Path(sys.argv[1]))) as platform:
    with platform.session() as session:
        create_account(session, name="survivor", now=START)
    print("open", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the database's own user can reach, which pytest's need not be."""
    with TemporaryDirectory(prefix="crowdalpha-tests-") as name:
        yield Path(name)


def nothing(url: URL) -> None:
    """Prepare a database in no way."""


def start_process(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", OPEN_AND_WAIT, str(folder)]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def servers(folder: Path) -> list[int]:
    """Process ids of the servers that run on a folder below this one."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline", "status"])
        if process.info["status"] != psutil.STATUS_ZOMBIE
        and any(part.startswith(str(folder)) for part in process.info["cmdline"] or [])
        and "postgres" in process.info["cmdline"][0]
    ]


def wait_for(condition: Callable[[], bool], *, timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)


def run_sql(url: URL, statement: str) -> object:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        return connection.execute(text(statement)).scalar_one()


def test_a_platform_keeps_what_was_committed_and_stops_its_server(folder: Path) -> None:
    settings = Settings(data_dir=folder / "data")
    with open_platform(settings) as platform, platform.session() as session:
        ann = create_account(session, name="ann", now=START)
    assert servers(folder) == []

    with open_platform(settings) as platform, platform.session() as session:
        assert list_accounts(session) == [ann]


def test_a_session_that_raises_commits_nothing(folder: Path) -> None:
    with open_platform(Settings(data_dir=folder / "data")) as platform:
        with pytest.raises(NotFound), platform.session() as session:
            get_account(session, AccountId(create_account(session, name="ann", now=START).id + 1))
        with platform.session() as session:
            assert list_accounts(session) == []


@pytest.mark.parametrize("name", ["with 'quotes' and $HOME", "n" * 90])
def test_any_path_will_do(folder: Path, name: str) -> None:
    with embedded_database(folder / name / "postgres", prepare=nothing, durable=False) as url:
        assert run_sql(url, "SELECT 1") == 1


def test_the_server_is_on_no_network(folder: Path) -> None:
    with embedded_database(folder / "postgres", prepare=nothing, durable=False) as url:
        assert run_sql(url, "SHOW listen_addresses") == ""
        assert (folder / "postgres").stat().st_mode & 0o077 == 0


def test_lists_are_sorted_the_same_on_every_machine(folder: Path) -> None:
    with embedded_database(folder / "postgres", prepare=nothing, durable=False) as url:
        found = run_sql(url, "SELECT string_agg(name, '' ORDER BY name) FROM unnest(ARRAY['b', 'B', 'a', 'é']) name")

    assert found == "Babé"


def test_the_server_runs_until_its_last_user_leaves(folder: Path) -> None:
    with embedded_database(folder / "postgres", prepare=nothing, durable=False) as url:
        with embedded_database(folder / "postgres", prepare=nothing, durable=False):
            assert len(servers(folder)) == 1
        assert run_sql(url, "SELECT 1") == 1
    assert servers(folder) == []


def test_a_server_that_outlived_its_process_is_used_and_then_stopped(folder: Path) -> None:
    process = start_process(folder)
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    running = servers(folder)
    kill(process)
    assert servers(folder) == running

    with open_platform(Settings(data_dir=folder)) as platform, platform.session() as session:
        assert servers(folder) == running
        assert [account.name for account in list_accounts(session)] == ["survivor"]
    assert servers(folder) == []


def test_a_killed_server_recovers_what_was_committed(folder: Path) -> None:
    process = start_process(folder)
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    kill(process)
    for pid in servers(folder):
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: servers(folder) == [])

    with open_platform(Settings(data_dir=folder)) as platform, platform.session() as session:
        assert [account.name for account in list_accounts(session)] == ["survivor"]


@pytest.mark.parametrize("made", ["PG_VERSION", "global/pg_control", "postgresql.auto.conf", "postmaster.pid"])
def test_a_first_start_killed_at_any_moment_is_begun_again(folder: Path, made: str) -> None:
    process = start_process(folder)
    wait_for((folder / "postgres" / made).exists)
    assert not (folder / "postgres.ready").exists()
    kill(process)

    with open_platform(Settings(data_dir=folder)) as platform, platform.session() as session:
        assert list_accounts(session) == []
    assert servers(folder) == []
    assert sorted(path.name for path in folder.glob("postgres.removed*")) == []


def test_a_first_start_whose_migration_failed_is_begun_again(folder: Path) -> None:
    def fail(url: URL) -> None:
        run_sql(url, "SELECT lo_create(4711)")
        raise KeyError

    with pytest.raises(KeyError), embedded_database(folder / "postgres", prepare=fail, durable=False):
        pass
    assert servers(folder) == []
    with embedded_database(folder / "postgres", prepare=nothing, durable=False) as url:
        assert run_sql(url, "SELECT count(*) FROM pg_largeobject_metadata") == 0


def test_a_stale_process_file_does_not_keep_the_server_from_starting(folder: Path) -> None:
    with embedded_database(folder / "postgres", prepare=nothing, durable=False):
        pass
    (folder / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n")

    with embedded_database(folder / "postgres", prepare=nothing, durable=False) as url:
        assert run_sql(url, "SELECT 1") == 1


def test_a_finished_cluster_that_vanished_is_an_error_and_not_made_anew(folder: Path) -> None:
    with embedded_database(folder / "postgres", prepare=nothing, durable=False):
        pass
    (folder / "postgres").rename(folder / "elsewhere")

    with (
        pytest.raises(DatabaseUnavailable, match="does not run"),
        embedded_database(folder / "postgres", prepare=nothing, durable=False),
    ):
        pass


def test_an_unreachable_server_is_named(folder: Path) -> None:
    settings = Settings(data_dir=folder, database_url=f"postgresql://nobody@/none?host={folder}")

    with pytest.raises(DatabaseUnavailable, match="cannot be reached"), open_platform(settings):
        pass
