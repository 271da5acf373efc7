"""Leaderboards of models and of accounts under the names that clients know.

Models are ranked by the score that the rulebook pays most for, among those that had something at risk; accounts by what
they gained. Means are over all resolved rounds.
"""

from decimal import Decimal

import strawberry

from crowdalpha.errors import InputError
from crowdalpha.rules.ids import AccountId, TournamentId
from crowdalpha.rules.money import Amount, total
from crowdalpha.server.leaderboards.service import (
    AccountStanding,
    ModelStanding,
    RankedBy,
    account_board,
    model_board,
)
from crowdalpha.server.models.service import list_models
from crowdalpha.server.numerai.asking import Asked, Asking
from crowdalpha.server.numerai.scalars import decimal_of
from crowdalpha.server.stakes.service import stakes_of
from crowdalpha.server.tournaments.service import get_tournament

__all__ = ["LeaderboardQueries"]

CLASSIC, SIGNALS, CRYPTO = TournamentId(8), TournamentId(11), TournamentId(12)
MAX_ROWS = 1000
RANKED_BY: tuple[RankedBy, ...] = ("mmc", "corr", "fnc", "mpc", "alpha")
"""Scores that boards are ranked by and rulebooks pay for."""


@strawberry.type
class ModelLeaderboardRow:
    """A model's place; scores are means over its resolved rounds."""

    username: str
    rank: int
    nmr_staked: Decimal
    corr20_rep: float | None
    corr20_v2_rep: float | None
    corj60_rep: float | None
    fnc_rep: float | None
    fnc_v3_rep: float | None
    tc_rep: float | None
    mmc_rep: float | None
    bmc_rep: float | None
    team: bool
    return_1_day: float | None
    return_13_weeks: float | None
    return_52_weeks: float | None
    payout_selection_tc_multiplier: float | None


@strawberry.type
class SignalsLeaderboardRow:
    """A model's place; here clients read the stake as a number."""

    username: str
    rank: int
    prev_rank: int | None
    sharpe: float | None
    today: float | None
    mmc: float | None
    mmc_rank: int | None
    nmr_staked: float
    ic_rank: int | None
    ic_rep: float | None
    tc_rep: float | None
    tc_rank: int | None


@strawberry.type
class CryptoLeaderboardRow:
    """A model's place."""

    username: str
    rank: int
    nmr_staked: Decimal
    corr_rep: float | None
    mmc_rep: float | None
    return_1_day: float | None
    return_13_weeks: float | None
    return_52_weeks: float | None


@strawberry.type
class AccountLeaderboardRow:
    """An account's place; scores are means over its models."""

    username: str
    display_name: str
    rank: int
    nmr_staked: Decimal
    v2_corr20: float | None
    cort20: float | None
    cor_j60: float | None
    corr_v4: float | None
    fnc_v4: float | None
    ic_v2: float | None
    mmc: float | None
    ric: float | None
    return1y: float | None
    return3m: float | None
    return_all_time: float | None
    return1y_nmr: Decimal | None
    return3m_nmr: Decimal | None
    return_all_time_nmr: Decimal | None


@strawberry.type
class LeaderboardQueries:
    """Questions about leaderboards; they need no key."""

    @strawberry.field
    def v2_leaderboard(
        self, info: Asked, limit: int | None = None, offset: int | None = None
    ) -> list[ModelLeaderboardRow]:
        """Rank the models of the obfuscated tournament."""
        return [
            ModelLeaderboardRow(
                username=each.model,
                rank=each.place,
                nmr_staked=decimal_of(each.stake),
                corr20_rep=each.corr,
                corr20_v2_rep=each.corr,
                corj60_rep=None,
                fnc_rep=each.fnc,
                fnc_v3_rep=each.fnc,
                tc_rep=None,
                mmc_rep=each.mmc,
                bmc_rep=None,
                team=False,
                return_1_day=None,
                return_13_weeks=None,
                return_52_weeks=None,
                payout_selection_tc_multiplier=None,
            )
            for each in _models(info.context, CLASSIC, limit, offset)
        ]

    @strawberry.field
    def signals_leaderboard(
        self, info: Asked, limit: int | None = None, offset: int | None = None
    ) -> list[SignalsLeaderboardRow]:
        """Rank the models of the tournament on named assets."""
        return [
            SignalsLeaderboardRow(
                username=each.model,
                rank=each.place,
                prev_rank=None,
                sharpe=None,
                today=None,
                mmc=each.mmc,
                mmc_rank=None,
                nmr_staked=float(str(each.stake)),
                ic_rank=None,
                ic_rep=None,
                tc_rep=None,
                tc_rank=None,
            )
            for each in _models(info.context, SIGNALS, limit, offset)
        ]

    @strawberry.field
    def cryptosignals_leaderboard(
        self, info: Asked, limit: int | None = None, offset: int | None = None
    ) -> list[CryptoLeaderboardRow]:
        """Rank the models of the tournament on coins."""
        return [
            CryptoLeaderboardRow(
                username=each.model,
                rank=each.place,
                nmr_staked=decimal_of(each.stake),
                corr_rep=each.corr,
                mmc_rep=each.mmc,
                return_1_day=None,
                return_13_weeks=None,
                return_52_weeks=None,
            )
            for each in _models(info.context, CRYPTO, limit, offset)
        ]

    @strawberry.field
    def account_leaderboard(
        self, info: Asked, limit: int | None = None, offset: int | None = None, tournament: int | None = None
    ) -> list[AccountLeaderboardRow]:
        """Rank the accounts of a tournament."""
        tournament_id = CLASSIC if tournament is None else TournamentId(tournament)
        limit, offset = _page(limit, offset)
        board = account_board(info.context.session, tournament_id=tournament_id, after=offset, limit=limit)
        staked = _staked(info.context, tournament_id) if board else {}
        return [_account(each, staked.get(each.account_id)) for each in board]


def _models(asking: Asking, tournament: TournamentId, limit: int | None, offset: int | None) -> list[ModelStanding]:
    limit, offset = _page(limit, offset)
    paid = get_tournament(asking.session, tournament).rulebook.multiplier_quanta()
    by = max(RANKED_BY, key=lambda name: paid.get(name, 0))
    return model_board(asking.session, tournament_id=tournament, by=by, after=offset, limit=limit)


def _page(limit: int | None, offset: int | None) -> tuple[int, int]:
    limit, offset = 50 if limit is None else limit, 0 if offset is None else offset
    if not 0 <= limit <= MAX_ROWS or offset < 0:
        raise InputError(f"limit {limit}, offset {offset}: ask for at most {MAX_ROWS} rows, from 0 on")
    return limit, offset


def _staked(asking: Asking, tournament: TournamentId) -> dict[AccountId, Amount]:
    """Sum what each account has at stake now."""
    unit = get_tournament(asking.session, tournament).rulebook.unit
    models = list_models(asking.session, tournament_id=tournament)
    stakes = stakes_of(asking.session, [model.id for model in models], unit=unit)
    by_account: dict[AccountId, list[Amount]] = {}
    for model, staked in zip(models, stakes, strict=True):
        by_account.setdefault(model.account_id, []).append(staked)
    return {account: total(amounts, unit) for account, amounts in by_account.items()}


def _account(each: AccountStanding, staked: Amount | None) -> AccountLeaderboardRow:
    mean_at_risk = each.at_risk.base / each.n_rounds if each.n_rounds else 0.0
    return AccountLeaderboardRow(
        username=each.account,
        display_name=each.account,
        rank=each.place,
        nmr_staked=decimal_of(staked or Amount.zero(each.profit.unit)),
        v2_corr20=each.corr,
        cort20=None,
        cor_j60=None,
        corr_v4=None,
        fnc_v4=None,
        ic_v2=None,
        mmc=each.mmc,
        ric=None,
        return1y=None,
        return3m=None,
        return_all_time=each.profit.base / mean_at_risk if mean_at_risk else None,
        return1y_nmr=None,
        return3m_nmr=None,
        return_all_time_nmr=decimal_of(each.profit),
    )
