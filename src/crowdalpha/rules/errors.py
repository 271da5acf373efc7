"""What the rules refuse, by name.

    InputError                      what was handed in cannot be used
    ├── MoneyError
    │   ├── LossyAmountError        more decimals than the unit has
    │   ├── UnitMismatchError       two units in one sum
    │   └── AmountOverflowError     beyond a signed 64-bit integer
    ├── TransferError               a transfer that no flow allows
    ├── CanonicalError              a value that has no canonical JSON
    ├── RulebookError               a rulebook that breaks its schema
    └── BundleError                 an evidence bundle that breaks its schema
    RuleError                       well formed, and a rule says no
    ├── NotFound
    ├── Forbidden
    └── Conflict
        ├── WrongState              a move that the table of states does not have
        ├── RoundClosed             a submission after the close
        ├── NothingAtRisk           a close without any stake
        ├── BelowMinimumStake
        ├── InsufficientBalance
        └── IdempotencyConflict     one key, two different requests

A refusal by rule is named for what happened, not `...Error`: that is how a caller reads it.
"""

from crowdalpha.errors import InputError, RuleError
from crowdalpha.rules.ids import RoundNumber

__all__ = [
    "AmountOverflowError",
    "BelowMinimumStake",
    "BundleError",
    "CanonicalError",
    "Conflict",
    "Forbidden",
    "IdempotencyConflict",
    "InsufficientBalance",
    "LossyAmountError",
    "MoneyError",
    "NotFound",
    "NothingAtRisk",
    "RoundClosed",
    "RulebookError",
    "TransferError",
    "UnitMismatchError",
    "WrongState",
]


class MoneyError(InputError):
    """An amount that cannot be read or computed."""

    code = "invalid_amount"


class LossyAmountError(MoneyError):
    """A decimal that has more places than its scale can hold."""

    code = "lossy_amount"


class UnitMismatchError(MoneyError):
    """Two units met in one sum or comparison."""

    code = "unit_mismatch"


class AmountOverflowError(MoneyError):
    """An amount that does not fit a signed 64-bit integer of base units."""

    code = "amount_overflow"


class TransferError(InputError):
    """A transfer whose accounts, amount or key no flow allows."""

    code = "invalid_transfer"


class CanonicalError(InputError):
    """A value that has no canonical JSON form."""

    code = "not_canonical"


class RulebookError(InputError):
    """A rulebook that cannot be used; the message names each field and the fix."""

    code = "invalid_rulebook"


class BundleError(InputError):
    """An evidence bundle that cannot be read; the message names each field."""

    code = "invalid_bundle"


class NotFound(RuleError):  # noqa: N818 - named for what happened
    """The thing asked for does not exist, or not for this caller."""

    code = "not_found"

    def __init__(self, what: str, key: object) -> None:
        self.what = what
        self.key = key
        super().__init__(f"there is no {what} {key}")


class Forbidden(RuleError):  # noqa: N818 - named for what happened
    """The caller may not do this."""

    code = "forbidden"


class Conflict(RuleError):  # noqa: N818 - named for what happened
    """The request is fine, and the present state does not allow it."""

    code = "conflict"


class NothingAtRisk(Conflict):
    """No submission of a round has a stake at risk, and a meta model weighted by stake needs one."""

    code = "nothing_at_risk"

    def __init__(self, number: RoundNumber) -> None:
        self.number = number
        super().__init__(
            f"round {number} has no submission with a stake at risk, and a meta model weighted by stake needs one;"
            " let a model that submitted stake and close again, or void the round"
        )


class WrongState(Conflict):
    """A move from one state to another that the table of moves does not have."""

    code = "wrong_state"

    def __init__(self, state: str, to: str, *, allowed: tuple[str, ...]) -> None:
        self.state = state
        self.to = to
        self.allowed = allowed
        ways = f"it can become {' or '.join(allowed)}" if allowed else "it is final"
        super().__init__(f"a round that is {state} cannot become {to}; {ways}")


class RoundClosed(Conflict):
    """The round takes no submission now."""

    code = "round_closed"

    def __init__(self, number: RoundNumber) -> None:
        self.number = number
        super().__init__(f"round {number} takes no more submissions; submit to the next open round")


class BelowMinimumStake(Conflict):
    """A stake that would end between zero and the rulebook's minimum."""

    code = "below_minimum_stake"

    def __init__(self, stake: object, minimum: object) -> None:
        self.stake = stake
        self.minimum = minimum
        super().__init__(f"the stake would be {stake}, below the minimum of {minimum}; hold at least that or nothing")


class InsufficientBalance(Conflict):
    """An account would fall below zero."""

    code = "insufficient_balance"

    def __init__(self, account: object, *, balance: object, needed: object) -> None:
        self.account = account
        self.balance = balance
        self.needed = needed
        super().__init__(f"account {account} holds {balance}, {needed} is needed")


class IdempotencyConflict(Conflict):
    """A key that was used before, for another request."""

    code = "idempotency_conflict"

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"key {key!r} was used before for a different request; send a new key with a new request")
