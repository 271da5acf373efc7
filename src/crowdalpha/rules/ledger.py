"""Accounts, transfers and the only ways in which money may flow.

A transfer moves an amount above zero from its `debit` account to its `credit` account and never changes;
a balance is credits less debits, so all balances of a unit sum to zero by shape. Only `external`, the world
outside, may fall below zero. There is no flow from burned stakes to the operator.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Self

from crowdalpha.rules.errors import TransferError
from crowdalpha.rules.hashing import Json
from crowdalpha.rules.ids import AccountId, ModelId
from crowdalpha.rules.money import Amount

__all__ = [
    "BURNED",
    "EXTERNAL",
    "FEES",
    "FLOWS",
    "FLOW_ROWS",
    "PROFIT",
    "REWARDS",
    "AccountKind",
    "AccountRef",
    "FlowCode",
    "Transfer",
    "available",
    "correction",
    "hold",
    "stake",
    "unstake",
]

_OWNER = re.compile(r"0|[1-9][0-9]{0,18}")
_KEY = re.compile(r"[!-~]{1,200}")


class AccountKind(StrEnum):
    """What an account is for."""

    EXTERNAL = "external"
    AVAILABLE = "available"
    HOLD = "hold"
    STAKE = "stake"
    UNSTAKE = "unstake"
    REWARDS = "pool:rewards"
    BURNED = "pool:burned"
    PROFIT = "pool:profit"
    FEES = "operator:fees"

    @property
    def is_owned(self) -> bool:
        """Whether there is one such account per participant or model."""
        return self in {AccountKind.AVAILABLE, AccountKind.HOLD, AccountKind.STAKE, AccountKind.UNSTAKE}

    @property
    def may_be_negative(self) -> bool:
        """Whether the balance may fall below zero: true of the outside world alone."""
        return self is AccountKind.EXTERNAL


@dataclass(frozen=True, slots=True, order=True)
class AccountRef:
    """A reference to an account; its text form is "pool:rewards" or "stake:7"."""

    kind: AccountKind
    owner: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.kind, AccountKind):
            raise TransferError(f"{self.kind!r} is not an AccountKind; use AccountRef.parse for text")
        if self.kind.is_owned != (self.owner is not None):
            raise TransferError(f"account {self.kind} {'needs' if self.kind.is_owned else 'has no'} an owner")
        if self.owner is not None and (type(self.owner) is not int or self.owner < 0):
            raise TransferError(f"owner {self.owner!r} of {self.kind} is not an id; give a whole number")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text form; refuses anything that `str` would not write."""
        kind, _, owner = text.rpartition(":")
        known = {each.value for each in AccountKind}
        if text in known:
            return cls(AccountKind(text))
        if kind not in known or _OWNER.fullmatch(owner) is None:
            raise TransferError(f"{text!r:.60} is no account; write one such as 'pool:rewards' or 'stake:7'")
        return cls(AccountKind(kind), int(owner))

    def __str__(self) -> str:
        return self.kind.value if self.owner is None else f"{self.kind.value}:{self.owner}"


EXTERNAL = AccountRef(AccountKind.EXTERNAL)
REWARDS = AccountRef(AccountKind.REWARDS)
BURNED = AccountRef(AccountKind.BURNED)
PROFIT = AccountRef(AccountKind.PROFIT)
FEES = AccountRef(AccountKind.FEES)


def available(account_id: AccountId) -> AccountRef:
    """Refer to a participant's free money."""
    return AccountRef(AccountKind.AVAILABLE, account_id)


def hold(account_id: AccountId) -> AccountRef:
    """Refer to a participant's withdrawal in flight."""
    return AccountRef(AccountKind.HOLD, account_id)


def stake(model_id: ModelId) -> AccountRef:
    """Refer to a model's active stake."""
    return AccountRef(AccountKind.STAKE, model_id)


def unstake(model_id: ModelId) -> AccountRef:
    """Refer to a model's pending release: no new risk, and rounds already closed may still burn it."""
    return AccountRef(AccountKind.UNSTAKE, model_id)


class FlowCode(StrEnum):
    """Why money moves."""

    DEPOSIT = "deposit"
    FUND_REWARDS = "fund_rewards"
    STAKE = "stake"
    UNSTAKE = "unstake"
    RELEASE = "release"
    PAYOUT = "payout"
    BURN = "burn"
    BURN_PENDING = "burn_pending"
    RECYCLE = "recycle"
    WITHDRAW_HOLD = "withdraw_hold"
    WITHDRAW_POST = "withdraw_post"
    WITHDRAW_VOID = "withdraw_void"
    CORRECT = "correct"


FLOWS: Mapping[FlowCode, tuple[AccountKind, AccountKind]] = MappingProxyType(
    {
        FlowCode.DEPOSIT: (AccountKind.EXTERNAL, AccountKind.AVAILABLE),
        FlowCode.FUND_REWARDS: (AccountKind.EXTERNAL, AccountKind.REWARDS),
        FlowCode.STAKE: (AccountKind.AVAILABLE, AccountKind.STAKE),
        FlowCode.UNSTAKE: (AccountKind.STAKE, AccountKind.UNSTAKE),
        FlowCode.RELEASE: (AccountKind.UNSTAKE, AccountKind.AVAILABLE),
        FlowCode.PAYOUT: (AccountKind.REWARDS, AccountKind.STAKE),
        FlowCode.BURN: (AccountKind.STAKE, AccountKind.BURNED),
        FlowCode.BURN_PENDING: (AccountKind.UNSTAKE, AccountKind.BURNED),
        FlowCode.RECYCLE: (AccountKind.BURNED, AccountKind.REWARDS),
        FlowCode.WITHDRAW_HOLD: (AccountKind.AVAILABLE, AccountKind.HOLD),
        FlowCode.WITHDRAW_POST: (AccountKind.HOLD, AccountKind.EXTERNAL),
        FlowCode.WITHDRAW_VOID: (AccountKind.HOLD, AccountKind.AVAILABLE),
    }
)
"""Each code's debit and credit kinds. `correct` is not in it: it may reverse any of these."""

FLOW_ROWS: frozenset[tuple[FlowCode, AccountKind, AccountKind]] = frozenset(
    {(code, debit, credit) for code, (debit, credit) in FLOWS.items()}
    | {(FlowCode.CORRECT, credit, debit) for debit, credit in FLOWS.values()}
)
"""Every allowed (code, debit kind, credit kind), corrections included: the rows of the database's own table."""

_SAME_OWNER = frozenset(
    {
        frozenset({AccountKind.STAKE, AccountKind.UNSTAKE}),
        frozenset({AccountKind.AVAILABLE, AccountKind.HOLD}),
    }
)


@dataclass(frozen=True, slots=True)
class Transfer:
    """One immutable movement of money, checked when it is made.

    `key` is the idempotency key of what caused it: a ledger takes each key once.
    """

    code: FlowCode
    debit: AccountRef
    credit: AccountRef
    amount: Amount
    key: str

    def __post_init__(self) -> None:
        if (self.code, self.debit.kind, self.credit.kind) not in FLOW_ROWS:
            raise TransferError(f"no flow {self.code!s} leads from {self.debit} to {self.credit}; see FLOWS")
        kinds = frozenset({self.debit.kind, self.credit.kind})
        if kinds in _SAME_OWNER and self.debit.owner != self.credit.owner:
            raise TransferError(f"{self.code} from {self.debit} to {self.credit} changes the owner; keep it the same")
        if self.amount.base <= 0:
            raise TransferError(f"transfer {self.key!r} moves {self.amount}; move more than zero, or nothing at all")
        if _KEY.fullmatch(self.key) is None:
            raise TransferError(f"key {self.key!r:.60}: use 1 to 200 visible ASCII characters")

    def to_json(self) -> dict[str, Json]:
        """Give the plain value that is hashed and published."""
        return {
            "code": self.code.value,
            "debit": str(self.debit),
            "credit": str(self.credit),
            "amount": str(self.amount),
            "unit": self.amount.unit.code,
            "key": self.key,
        }


def correction(wrong: Transfer) -> Transfer:
    """Undo a transfer by its reverse; the key makes a second correction of the same one a repeat."""
    if wrong.code is FlowCode.CORRECT:
        raise TransferError(f"{wrong.key!r} is itself a correction; post what should have been instead")
    return Transfer(FlowCode.CORRECT, wrong.credit, wrong.debit, wrong.amount, f"fix:{wrong.key}")
