"""Running a plan: in this process or several, with progress, from where it was stopped."""

import hashlib
import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from pathlib import Path

from crowdalpha.release.sealed.errors import SealedError
from crowdalpha.release.sealed.keys import PublicKeys
from crowdalpha.release.sealed.plans import Plan, Sources, Task, output_name
from crowdalpha.release.sealed.ring import Ciphertext, Ring

__all__ = ["Progress", "run_plan"]

Progress = Callable[[int, int], None]
SUFFIX = ".ct"
# Batches a worker and stage: each loads what it needs anew, so few are faster, and many show more progress.
BATCHES = 2


class MemoryDesk:
    """Keeps intermediate results in memory."""

    def __init__(self, ring: Ring, sources: Sources) -> None:
        self.ring = ring
        self._members = {name: each for each in sources.all for name in each.names}
        self._made: dict[str, Ciphertext] = {}

    def take(self, name: str) -> Ciphertext:
        """Give a result, or read a member, once."""
        if name not in self._made:
            self._made[name] = self.ring.load(self._members[name].bytes_of(name))
        return self._made[name]

    def leave(self, name: str, value: Ciphertext) -> None:
        """Keep a result."""
        self._made[name] = value

    def has(self, names: Iterable[str]) -> bool:
        """Say whether all of these were made."""
        return all(name in self._made for name in names)


class FolderDesk:
    """Keeps intermediate results as files, each whole or not there, so that processes share them and a run resumes."""

    def __init__(self, ring: Ring, sources: Sources, folder: Path) -> None:
        self.ring = ring
        self._folder = folder
        self._members = {name: each for each in sources.all for name in each.names}
        self._loaded: dict[str, Ciphertext] = {}

    def take(self, name: str) -> Ciphertext:
        """Read a result or a member, once."""
        if name not in self._loaded:
            path = self._path(name)
            raw = path.read_bytes() if path.exists() else self._members[name].bytes_of(name)
            self._loaded[name] = self.ring.load(raw)
        return self._loaded[name]

    def leave(self, name: str, value: Ciphertext) -> None:
        """Write a result."""
        path = self._path(name)
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_bytes(self.ring.dump(value))
        part.replace(path)

    def has(self, names: Iterable[str]) -> bool:
        """Say whether all of these were made."""
        return all(self._path(name).exists() for name in names)

    def _path(self, name: str) -> Path:
        return self._folder / (name.replace("/", "-") + SUFFIX)


def run_plan(
    plan: Plan,
    public: PublicKeys,
    *,
    workers: int = 1,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> list[bytes]:
    """Compute a plan.

    Parameters
    ----------
    plan : Plan
        Of a model.
    public : PublicKeys
        The public bundle that the era belongs to.
    workers : int, default=1
        Processes. Several share their results through a folder.
    folder : Path, default=None
        Where intermediate results stay: a run that was stopped goes on from there, with the same plan alone.
    progress : callable, default=None
        Called with the tasks done and all tasks, after each.

    Returns
    -------
    list of bytes
        The ciphertexts of the submission, in the order of the rows.

    Raises
    ------
    SealedError
        If the plan is of other keys, or a member of the era is not a ciphertext of its parameter set.
    SealedFileError
        If a file changed since it was opened.

    Notes
    -----
    Cost: `plan.cost`. Memory of a forest on 300 features: about 1 GB in one process without a folder.
    """
    if plan.sources.era.content.key_id != public.key_id:
        raise SealedError("the plan is for an era of other keys than this public bundle")
    if workers < 1:
        raise SealedError(f"{workers} workers cannot do anything; use 1 or more")
    with ExitStack() as stack:
        if folder is None and workers > 1:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sealed")))
        if folder is not None:
            folder = folder / _identity(plan)
            folder.mkdir(parents=True, exist_ok=True)
        crew = _Crew(public, plan.sources, folder)
        if workers > 1:
            context = multiprocessing.get_context("spawn")  # a fork would copy the threads of polars in any state
            crew.pool = stack.enter_context(ProcessPoolExecutor(workers, mp_context=context))
        done = 0
        for stage in plan.stages:
            waiting = [task for task in stage if not crew.desk.has(task.made)]
            done += len(stage) - len(waiting)
            for finished in crew.work(waiting, workers):
                done += finished
                if progress is not None:
                    progress(done, plan.n_tasks)
        return [crew.desk.ring.dump(crew.desk.take(output_name(block))) for block in range(plan.n_outputs)]


class _Crew:
    """One process or several at the tasks of a stage."""

    def __init__(self, public: PublicKeys, sources: Sources, folder: Path | None) -> None:
        self._public, self._sources, self._folder = public, sources, folder
        self.desk = _desk(public, sources, folder)
        self.pool: ProcessPoolExecutor | None = None

    def work(self, tasks: Sequence[Task], workers: int) -> Iterator[int]:
        """Do tasks; yield how many were finished, as they finish."""
        if self.pool is None or self._folder is None or len(tasks) < workers:
            for task in tasks:
                task.run(self.desk)
                yield 1
            return
        size = -(-len(tasks) // (BATCHES * workers))
        batches = [tuple(tasks[at : at + size]) for at in range(0, len(tasks), size)]
        started = [self.pool.submit(_do, self._public, self._sources, self._folder, each) for each in batches]
        for finished in as_completed(started):
            yield finished.result()


def _do(public: PublicKeys, sources: Sources, folder: Path, tasks: tuple[Task, ...]) -> int:
    desk = _desk(public, sources, folder)
    for task in tasks:
        task.run(desk)
    return len(tasks)


def _desk(public: PublicKeys, sources: Sources, folder: Path | None) -> MemoryDesk | FolderDesk:
    ring = public.ring()
    return MemoryDesk(ring, sources) if folder is None else FolderDesk(ring, sources, folder)


def _identity(plan: Plan) -> str:
    """Name a plan by what it computes and on what, so that a folder never mixes two."""
    digest = hashlib.sha256(repr(plan.stages).encode())
    for source in plan.sources.all:
        digest.update(source.manifest.canonical())
    return digest.hexdigest()[:32]
