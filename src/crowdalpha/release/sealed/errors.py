"""What the sealed track refuses by name.

CrowdalphaError
├── SealedExtraMissingError     the optional library is not installed
└── InputError
    └── SealedError             anything of the sealed track that cannot be used
        ├── SealedKeyError      a secret file is missing, spoilt, retired or readable by others
        ├── SealedFileError     a container is not what its manifest says, or belongs elsewhere
        ├── TooDeepError        a model needs more products after one another than the parameter set has
        └── OverflowingModelError   integers of a model leave the range in which results are exact
RuleError
└── LeakBudgetSpentError        a key has answered as often as it may
"""

from crowdalpha.errors import CrowdalphaError, InputError, RuleError

__all__ = [
    "LeakBudgetSpentError",
    "OverflowingModelError",
    "SealedError",
    "SealedExtraMissingError",
    "SealedFileError",
    "SealedKeyError",
    "TooDeepError",
]


class SealedExtraMissingError(CrowdalphaError):
    """The library for encrypted data is not installed."""

    code = "sealed_extra_missing"

    def __init__(self) -> None:
        super().__init__("the sealed track needs an extra: pip install 'crowdalpha[sealed]'")


class SealedError(InputError):
    """Something of the sealed track cannot be used."""

    code = "sealed_refused"


class SealedKeyError(SealedError):
    """A secret file is missing, spoilt, retired or readable by others."""

    code = "sealed_key"


class SealedFileError(SealedError):
    """A container is not what its manifest says, or belongs to another round or key.

    Parameters
    ----------
    file : str
        The file at fault.
    problem : str
        What is wrong and the way out; only what anyone can see without a secret key.
    """

    code = "sealed_file"

    def __init__(self, file: str, problem: str) -> None:
        self.file = file
        super().__init__(f"{file}: {problem}")


class TooDeepError(SealedError):
    """A model needs more products after one another than the parameter set has."""

    code = "sealed_too_deep"


class OverflowingModelError(SealedError):
    """Integers of a model leave the range in which results are exact."""

    code = "sealed_overflow"


class LeakBudgetSpentError(RuleError):
    """A key has answered as often as it may; the next round needs a new one."""

    code = "leak_budget_spent"
