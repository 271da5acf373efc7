"""`crowdalpha status` of an operator: queue, last steps, clock and disk of a platform."""

from pathlib import Path

import typer
from rich.console import Console

from crowdalpha.cli.platform import opened
from crowdalpha.cli.tables import show
from crowdalpha.server.kit.depends import utc_now
from crowdalpha.server.status.schemas import StatusOut
from crowdalpha.server.status.service import disk_of, read_status

__all__ = ["platform_status"]

GIGABYTE = 10**9
STEPS = {"job": "id", "state": "state", "what": "subject", "finished": "finished_at", "error": "error_message"}


def platform_status(data_dir: Path | None, *, as_json: bool) -> None:
    """Show what waits, what was done last, and how the machine is."""
    with opened(data_dir) as platform:
        disk = disk_of(platform.settings.data_dir)
        with platform.session() as session:
            found = StatusOut.of(read_status(session, now=utc_now()), disk=disk)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
        return
    screen = Console(highlight=False)
    waits = "nothing waits" if found.oldest_waiting_s is None else f"the oldest waits {found.oldest_waiting_s:.0f} s"
    screen.print(f"workers {found.workers_alive}, {waits}, clock off by {found.clock_offset_s:+.3f} s")
    screen.print(f"disk {disk.free / GIGABYTE:,.1f} of {disk.total / GIGABYTE:,.1f} GB free")
    screen.print("jobs " + (_counts(found.jobs) or "none"))
    screen.print("rounds " + (", ".join(f"{count} {state}" for state, count in found.rounds.items()) or "none"))
    screen.print("\nlast steps")
    show(found.last_steps, STEPS, as_json=False)
    if found.last_failures:
        screen.print("\nfailed")
        show(found.last_failures, STEPS, as_json=False)


def _counts(jobs: dict[str, dict[str, int]]) -> str:
    return "; ".join(f"{kind}: " + ", ".join(f"{n} {state}" for state, n in by.items()) for kind, by in jobs.items())
