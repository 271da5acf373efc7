"""What the doctor finds."""

import socket
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from crowdalpha.server import Platform
from crowdalpha.server.doctor import Finding, examine
from crowdalpha.server.jobs.service import enqueue
from crowdalpha.server.kit.depends import utc_now
from crowdalpha.server.settings import Settings
from tests.fixtures import tournament as make


def look(settings: Settings, *, port: int = 1) -> dict[str, Finding]:
    return {each.what: each for each in examine(settings, host="127.0.0.1", port=port, now=utc_now())}


def test_a_new_platform_lacks_only_a_worker(fresh_platform: Platform) -> None:
    found = look(fresh_platform.settings)

    assert {each.what for each in found.values() if each.level == "error"} == set()
    assert (found["workers"].level, found["database"].level, found["blobs"].level) == ("warning", "ok", "ok")
    assert all(each.fix for each in found.values() if each.level != "ok")


def test_a_secret_that_others_can_read_is_an_error(fresh_platform: Platform) -> None:
    path = fresh_platform.settings.data_dir / "signing.key"
    path.write_text("secret")
    path.chmod(0o644)

    assert look(fresh_platform.settings)["secrets"].level == "error"


def test_a_port_in_use_and_a_clock_that_is_off_are_seen(fresh_platform: Platform) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        found = {
            each.what: each
            for each in examine(
                fresh_platform.settings, host="127.0.0.1", port=port, now=utc_now() - timedelta(minutes=1)
            )
        }

    assert (found["port"].level, found["clock"].level) == ("warning", "error")


def test_a_database_that_is_not_there_is_an_error_with_its_reason(tmp_path: Path) -> None:
    address = "postgresql://nobody:wrong@127.0.0.1:1/none"
    settings = Settings(data_dir=tmp_path, database_url=address, signing_key=SecretStr("k" * 32))

    finding = look(settings)["database"]

    assert (finding.level, "cannot be reached" in finding.words) == ("error", True)
    assert "wrong" not in finding.words


def test_jobs_that_wait_long_and_a_bad_timetable_are_seen(fresh_platform: Platform) -> None:
    with fresh_platform.session() as session:
        make.contest(session)
        session.execute(text('UPDATE tournament SET timetable = \'{"calendar": "NYSE"}\''))
        enqueue(session, kind="x", subject={}, deadline=timedelta(days=1), now=utc_now() - timedelta(hours=1))

    found = look(fresh_platform.settings)

    assert (found["jobs"].level, found["timetable of classic"].level) == ("warning", "error")


@pytest.mark.parametrize("folder", ["/proc/no/such"])
def test_a_folder_that_cannot_be_written_stops_the_look(folder: str) -> None:
    found = look(Settings(data_dir=Path(folder)))

    assert found["data folder"].level == "error"
    assert "database" not in found
