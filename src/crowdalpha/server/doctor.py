"""Everything that can be wrong with a platform on this machine, each with its fix."""

import socket
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.orm import Session

from crowdalpha.errors import CrowdalphaError
from crowdalpha.server.bootstrap import Platform, open_platform
from crowdalpha.server.db.migrate import migration_config
from crowdalpha.server.settings import Settings
from crowdalpha.server.status.service import Status, disk_of, read_status
from crowdalpha.server.tournaments.service import list_tournaments
from crowdalpha.server.tournaments.timetable import read_timetable, sessions_from

__all__ = ["Finding", "Level", "examine"]

Level = Literal["ok", "warning", "error"]

PYTHON = (3, 11)
LEAST_DISK, LITTLE_DISK = 1 << 30, 5 << 30
CLOCK_S = 2.0
WAITS = timedelta(minutes=5)
OLDEST_POSTGRES = 140_000
EXTRAS = {
    "exchange_calendars": "market: the sessions of exchanges",
    "lightgbm": "lab: serve --demo",
    "authlib": "oidc: login with another service",
    "tenseal": "sealed: the encrypted track",
}
SMTP_PORTS = {"smtps": 465, "smtp+plain": 25}
MAIL_S = 5
PROBE = b"crowdalpha doctor"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `fix` says what to do unless it is fine."""

    what: str
    level: Level
    words: str
    fix: str = ""


def examine(settings: Settings, *, host: str, port: int, now: datetime) -> list[Finding]:
    """Look at everything, in the order in which it would fail.

    Parameters
    ----------
    settings : Settings
        Of the platform; it is opened, and made if it is not there.
    host, port
        Where it would be served.
    now : datetime
        By the clock of this machine, in UTC.
    """
    found = [_python(), *_extras(), *_folder(settings.data_dir), _port(host, port), _mail(settings)]
    if any(each.level == "error" for each in found if each.what in {"data folder", "disk"}):
        return found
    try:
        with open_platform(settings) as platform:
            found += [_reached(platform), *_secrets(settings.data_dir), _blobs(platform)]
            with platform.session() as session:
                found += _inside(session, now)
    except CrowdalphaError as error:
        fix = "see the message; the address is CROWDALPHA_DATABASE_URL, the embedded one's log is postgres/log"
        found.append(Finding("database", "error", str(error), fix))
    return found


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < PYTHON:
        return Finding("Python", "error", version, "use Python 3.11 or newer")
    return Finding("Python", "ok", version)


def _extras() -> Iterator[Finding]:
    for module, use in EXTRAS.items():
        extra, _, words = use.partition(": ")
        if find_spec(module) is None:
            yield Finding(
                f"extra {extra}",
                "warning",
                f"{module} is missing: {words}",
                f"pip install 'crowdalpha[{extra}]' if you need it",
            )
        else:
            yield Finding(f"extra {extra}", "ok", words)


def _folder(folder: Path) -> Iterator[Finding]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".doctor"
        probe.write_bytes(PROBE)
        probe.unlink()
    except OSError as error:
        yield Finding("data folder", "error", f"{folder}: {error.strerror}", "name one that this user may write to")
        return
    yield Finding("data folder", "ok", str(folder.resolve()))
    disk = disk_of(folder)
    words = f"{disk.free / (1 << 30):.1f} GiB free"
    if disk.free < LEAST_DISK:
        yield Finding("disk", "error", words, "make room, or move the data folder to a larger disk")
    elif disk.free < LITTLE_DISK:
        yield Finding("disk", "warning", words, "plan for more: submissions and backups are kept")
    else:
        yield Finding("disk", "ok", words)


def _port(host: str, port: int) -> Finding:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as one:
        one.settimeout(1)
        taken = one.connect_ex((host, port)) == 0
    if taken:
        return Finding("port", "warning", f"{port} on {host} is in use", "fine if that is this platform; else --port")
    return Finding("port", "ok", f"{port} on {host} is free")


def _mail(settings: Settings) -> Finding:
    if settings.smtp_url is None:
        return Finding(
            "mail", "warning", "no mail server: you pass links on", "set CROWDALPHA_SMTP_URL to send letters"
        )
    address = urlsplit(settings.smtp_url.get_secret_value())
    host, port = address.hostname or "", address.port or SMTP_PORTS.get(address.scheme, 587)
    try:
        socket.create_connection((host, port), timeout=MAIL_S).close()
    except OSError as error:
        return Finding("mail", "error", f"{host}:{port}: {error}", "check CROWDALPHA_SMTP_URL and the network")
    return Finding("mail", "ok", f"{host}:{port} answers")


def _reached(platform: Platform) -> Finding:
    with platform.session() as session:
        number = int(session.execute(text("SHOW server_version_num")).scalar_one())
        head = session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    newest = ScriptDirectory.from_config(migration_config()).get_current_head()
    words = f"PostgreSQL {number // 10_000}, schema {head}"
    if number < OLDEST_POSTGRES:
        return Finding("database", "error", words, "use PostgreSQL 14 or newer")
    if head != newest:
        return Finding("database", "error", f"{words}, wanted {newest}", "start the newest version of crowdalpha once")
    return Finding("database", "ok", words)


def _secrets(folder: Path) -> Iterator[Finding]:
    open_ones = [path.name for path in folder.glob("*.key") if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if open_ones:
        names = " ".join(open_ones)
        yield Finding("secrets", "error", f"others can read {names}", f"chmod 600 {names}, and rotate them")
    else:
        yield Finding("secrets", "ok", "only this user reads them")


def _blobs(platform: Platform) -> Finding:
    try:
        if platform.blobs.get(platform.blobs.put(PROBE)) != PROBE:
            return Finding("blobs", "error", "another content came back", "check the object store")
    except Exception as error:  # noqa: BLE001  # a boundary: whatever the store raised is the finding
        return Finding("blobs", "error", str(error), "check CROWDALPHA_BLOB_URL, credentials, rights")
    return Finding("blobs", "ok", "written and read")


def _inside(session: Session, now: datetime) -> Iterator[Finding]:
    status = read_status(session, now=now)
    yield _clock(status)
    yield _workers(status)
    yield _queue(status)
    yield from _timetables(session, now)


def _clock(status: Status) -> Finding:
    words = f"database and machine differ by {status.clock_offset_s:+.3f} s"
    if abs(status.clock_offset_s) > CLOCK_S:
        return Finding("clock", "error", words, "let both machines keep time by NTP: rounds close by it")
    return Finding("clock", "ok", words)


def _workers(status: Status) -> Finding:
    if not status.workers_alive:
        seen = "never" if status.worker_last_seen is None else status.worker_last_seen.isoformat()
        return Finding("workers", "warning", f"none lives, last seen {seen}", "run crowdalpha serve, or worker")
    return Finding("workers", "ok", f"{status.workers_alive} live")


def _queue(status: Status) -> Finding:
    failed = sum(count for (_, state), count in status.jobs.items() if state == "failed")
    if status.waits_s is not None and status.waits_s > WAITS.total_seconds():
        words = f"the oldest job waits {status.waits_s:.0f} s"
        return Finding("jobs", "warning", words, "see crowdalpha status; start more workers if it is many")
    if failed:
        return Finding("jobs", "warning", f"{failed} failed", "see crowdalpha status; each can be run again")
    return Finding("jobs", "ok", "none waits long, none failed")


def _timetables(session: Session, now: datetime) -> Iterator[Finding]:
    for tournament in list_tournaments(session):
        what = f"timetable of {tournament.name}"
        try:
            timetable = read_timetable(tournament.timetable)
            if timetable is None:
                yield Finding(what, "ok", "none: its rounds are run by hand")
                continue
            needed = 1 + tournament.rulebook.lag_days + tournament.rulebook.horizon_days
            days = sessions_from(timetable, now, n=needed)
        except CrowdalphaError as error:
            yield Finding(what, "error", str(error), "correct it with crowdalpha tournament change FILE.toml")
            continue
        if len(days) < needed:
            yield Finding(what, "error", "its calendar ends too early", "update exchange_calendars")
        else:
            yield Finding(what, "ok", f"next session {days[0].evening:%Y-%m-%d %H:%M} UTC")
