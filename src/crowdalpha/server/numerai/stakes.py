"""Stakes up and down, and the movements of the own balance."""

import secrets
from datetime import datetime
from decimal import Decimal, InvalidOperation

import strawberry

from crowdalpha.errors import InputError
from crowdalpha.rules.errors import Conflict
from crowdalpha.rules.ledger import available
from crowdalpha.rules.money import Amount, Unit
from crowdalpha.rules.round import RoundState
from crowdalpha.server.ledger.service import page_transfers
from crowdalpha.server.models.service import Model
from crowdalpha.server.numerai.asking import Asked, Asking
from crowdalpha.server.numerai.rounds import newest_first
from crowdalpha.server.numerai.scalars import decimal_of
from crowdalpha.server.stakes.service import decrease, increase, stake_of
from crowdalpha.server.tournaments.service import Tournament, get_tournament

__all__ = ["StakeMutations", "WalletTxn", "transactions_of"]

SCOPE = "stake"
MAX_ENTRIES = 1000
KEY_BYTES = 16


@strawberry.type
class StakeChange:
    """A change of a stake; `due_date` is when what was taken out is free, where that is not at once."""

    due_date: datetime | None
    requested_amount: Decimal
    status: str
    type: str


@strawberry.type
class StakeRelease:
    """A stake taken out whole."""

    id: strawberry.ID
    due_date: datetime | None
    status: str
    type: str
    requested_amount: Decimal
    drain: bool


@strawberry.type
class WalletTxn:
    """A movement of the own balance; there is no chain, so `tx_hash` names the transfer in the ledger."""

    amount: Decimal
    from_: str = strawberry.field(name="from")
    status: str
    to: str
    time: datetime
    tournament: int | None
    tx_hash: str
    type: str


@strawberry.type
class StakeMutations:
    """Change what models have at stake; each call is one change, whoever repeats it changes again."""

    @strawberry.mutation
    def v2_change_stake(
        self,
        info: Asked,
        value: str,
        type: str,
        tournament_number: int | None = None,
        model_id: str | None = None,
    ) -> StakeChange:
        """Put money at stake, or take some out."""
        model = info.context.own_model(model_id, scope=SCOPE, tournament=tournament_number)
        tournament = get_tournament(info.context.session, model.tournament_id)
        amount = read_amount(value, tournament.rulebook.unit)
        if type not in ("increase", "decrease"):
            raise InputError(f"type {type[:40]!r}: write increase or decrease")
        if type == "increase":
            increase(
                info.context.session,
                model_id=model.id,
                amount=amount,
                key=secrets.token_hex(KEY_BYTES),
                rulebook=tournament.rulebook,
                now=info.context.now,
            )
            return StakeChange(due_date=None, requested_amount=decimal_of(amount), status="confirmed", type=type)
        due = _take_out(info.context, model, tournament, amount)
        return StakeChange(due_date=due, requested_amount=decimal_of(amount), status=_status(due), type=type)

    @strawberry.mutation
    def release_stake(
        self, info: Asked, drain: bool | None = None, amount: str | None = None, model_id: str | None = None
    ) -> StakeRelease:
        """Take out the whole stake with `drain`, else an amount."""
        model = info.context.own_model(model_id, scope=SCOPE)
        tournament = get_tournament(info.context.session, model.tournament_id)
        unit = tournament.rulebook.unit
        held = stake_of(info.context.session, model_id=model.id, unit=unit)
        out = held if drain else read_amount(amount or "", unit)
        if drain and held.base == 0:
            raise Conflict(f"model {model.name} has nothing at stake")
        due = _take_out(info.context, model, tournament, out)
        return StakeRelease(
            id=strawberry.ID(str(model.id)),
            due_date=due,
            status=_status(due),
            type="decrease",
            requested_amount=decimal_of(out),
            drain=bool(drain),
        )


def read_amount(text: str, unit: Unit) -> Amount:
    """Read an amount as clients write it: the text of a Python number, also with an exponent.

    Raises
    ------
    InputError
        If it is no number, or not above zero, or has more decimals than the unit.
    """
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise InputError(f"value {text[:40]!r} is not a number; write an amount such as '12.5'") from error
    if not number.is_finite() or number <= 0 or abs(number.adjusted()) > unit.scale + 18:
        raise InputError(f"value {text[:40]!r}: write an amount above zero, such as '12.5'")
    return Amount.parse(format(number, "f"), unit)


def transactions_of(asking: Asking, *, scope: str) -> list[WalletTxn]:
    """List the movements of the own balance, newest first."""
    mine = available(asking.account(scope))
    return [
        WalletTxn(
            amount=decimal_of(each.amount),
            from_=each.debit,
            status="confirmed",
            to=each.credit,
            time=each.at,
            tournament=None,
            tx_hash=str(each.id),
            type=each.code,
        )
        for each in page_transfers(asking.session, refs=[mine], limit=MAX_ENTRIES)
    ]


def _take_out(asking: Asking, model: Model, tournament: Tournament, amount: Amount) -> datetime | None:
    """Take money out of a stake, and say when the last round that may still burn it is over; None for at once."""
    decrease(
        asking.session,
        model_id=model.id,
        amount=amount,
        key=secrets.token_hex(KEY_BYTES),
        rulebook=tournament.rulebook,
        now=asking.now,
    )
    burning = (RoundState.CLOSED, RoundState.SCORING)
    return max(
        (row.resolves_at for row in newest_first(asking, model.tournament_id) if row.state in burning), default=None
    )


def _status(due: datetime | None) -> str:
    return "confirmed" if due is None else "pending"
