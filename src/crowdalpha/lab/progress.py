"""How long work says how far it is: a port with a silent default; the command line draws it."""

from typing import Protocol

__all__ = ["Progress", "Silent"]


class Progress(Protocol):
    """Told about stages and steps; never asked for anything."""

    def stage(self, name: str, steps: int) -> None:
        """Begin a stage of so many steps; the one before it is over."""
        ...

    def step(self, note: str = "") -> None:
        """One more step of the stage is done; `note` says what came out."""
        ...


class Silent:
    """Says nothing; for tests and for callers who do not look."""

    def stage(self, name: str, steps: int) -> None:
        """Ignore."""

    def step(self, note: str = "") -> None:
        """Ignore."""
