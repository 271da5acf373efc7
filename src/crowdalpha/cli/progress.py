"""The live display of long work: a line a stage, with steps and time left."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

__all__ = ["LiveProgress"]


class LiveProgress:
    """Draws the stages of a season on a terminal; prints a plain line a stage where there is none."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            TextColumn("{task.description:<22}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("[dim]{task.fields[note]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def stage(self, name: str, steps: int) -> None:
        """Begin a stage."""
        if not self._console.is_terminal:
            self._console.print(f"{name} ...", highlight=False)
        self._finish()
        self._task = self._bars.add_task(name, total=steps, note="")

    def step(self, note: str = "") -> None:
        """Move the bar of the stage by one step."""
        if self._task is not None:
            self._bars.update(self._task, advance=1, note=note)

    def _finish(self) -> None:
        if self._task is not None:
            self._bars.update(self._task, note="")
            self._bars.stop_task(self._task)
