"""What `release` refuses by name.

InputError
├── ReleaseError            a data set or round cannot be built from what was handed in
├── ManifestError           a published folder is not what its manifest says
└── PredictionFileError     a prediction file cannot be used; names file, column and first bad row
"""

from crowdalpha.errors import InputError

__all__ = ["ManifestError", "PredictionFileError", "ReleaseError"]


class ReleaseError(InputError):
    """A data set or round cannot be built from what was handed in."""

    code = "release_refused"


class ManifestError(InputError):
    """A published folder is not what its manifest says.

    Parameters
    ----------
    file : str
        The file at fault.
    problem : str
        What is wrong and the way out.
    """

    code = "manifest_mismatch"

    def __init__(self, file: str, problem: str) -> None:
        self.file = file
        super().__init__(f"{file}: {problem}")


class PredictionFileError(InputError):
    """A prediction file cannot be used.

    Parameters
    ----------
    name : str
        What the participant calls the file.
    problem : str
        What is wrong and the way out.
    reason : str
        `file` (size or format), `headers`, `ids` or `values`: the class of the problem, stable for programs.
    column : str, default=None
        The column at fault.
    row : int, default=None
        The first bad data row, counted from 1 below the header.
    """

    code = "invalid_predictions"

    def __init__(
        self, name: str, problem: str, *, reason: str, column: str | None = None, row: int | None = None
    ) -> None:
        self.name = name
        self.reason = reason
        self.column = column
        self.row = row
        place = "".join((f", column '{column}'" if column else "", f", row {row}" if row else ""))
        super().__init__(f"{name}{place}: {problem}")
