"""The root of the error tree.

    CrowdalphaError            everything that this package refuses by name
    ├── InputError             an argument, a file or a row that cannot be used; also a ValueError
    └── RuleError              a rule of the game says no

Each layer grows its own branch in its own file: `scoring/checks.py` for arrays, `market/checks.py`
for price files, `release/predictions.py` for prediction files, `rules/errors.py` for the game.
Every class has a stable `code`; adapters map classes to exit codes and statuses, never the reverse.
"""

__all__ = ["CrowdalphaError", "InputError", "RuleError"]


class CrowdalphaError(Exception):
    """Root of every error that crowdalpha raises on purpose; its message is for the user."""

    code = "error"


class InputError(CrowdalphaError, ValueError):
    """Something handed in cannot be used; the message names it and the way out."""

    code = "invalid_input"


class RuleError(CrowdalphaError):
    """The input is well formed and a rule of the game refuses it."""

    code = "refused"
