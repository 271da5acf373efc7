"""What a named tournament refuses by name.

ReleaseError
└── NamedUniverseError      a universe file that cannot be used
"""

from crowdalpha.release.errors import ReleaseError

__all__ = ["NamedUniverseError"]


class NamedUniverseError(ReleaseError):
    """The universe of a named round cannot be used.

    Parameters
    ----------
    name : str
        What the operator calls the file.
    problem : str
        What is wrong and the way out.
    column : str, default=None
        The column at fault.
    row : int, default=None
        The first bad row, counted from 1.
    """

    code = "invalid_universe"

    def __init__(self, name: str, problem: str, *, column: str | None = None, row: int | None = None) -> None:
        self.name = name
        self.column = column
        self.row = row
        place = "".join((f", column '{column}'" if column else "", f", row {row}" if row else ""))
        super().__init__(f"{name}{place}: {problem}")
