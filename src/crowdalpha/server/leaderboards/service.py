"""Rank models and accounts by what they did in resolved rounds.

Boards stand on sums that are kept up to date in the transaction that resolves a round, over the last few rounds and
over all; a table of any other rounds is added up when it is asked for. A round in which a model had nothing at risk
is on the board without stake and not on the other.
"""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.rules.ids import AccountId, ModelId, RoundNumber, TournamentId
from crowdalpha.rules.money import POINTS, Amount, Unit
from crowdalpha.rules.payout import QUANTUM
from crowdalpha.server.leaderboards import repository
from crowdalpha.server.leaderboards.repository import AccountPlace, Board, ModelPlace, RankedBy, Standing
from crowdalpha.server.tournaments.service import get_tournament

__all__ = [
    "ALL_ROUNDS",
    "SPANS",
    "AccountStanding",
    "LeaderboardRow",
    "ModelStanding",
    "RankedBy",
    "account_board",
    "add_round",
    "leaderboard",
    "model_board",
]

ALL_ROUNDS = 0
"""The span of every resolved round."""

SPANS = (ALL_ROUNDS, 5, 20, 60, 250)
"""Over how many of the last resolved rounds there are boards; the migrations know these numbers too."""


@dataclass(frozen=True, slots=True)
class LeaderboardRow:
    """One model's place; scores are means over its rounds, None where it has none."""

    place: int
    model_id: ModelId
    model: str
    account: str
    n_rounds: int
    corr: float | None
    mmc: float | None
    fnc: float | None
    cwmm: float | None
    at_risk: Amount
    paid: Amount
    burned: Amount

    @property
    def profit(self) -> Amount:
        """What was paid less what was burned."""
        return self.paid - self.burned


@dataclass(frozen=True, slots=True)
class ModelStanding:
    """One model's place on a board; scores are means over its rounds, None where it has none."""

    place: int
    model_id: ModelId
    model: str
    account_id: AccountId
    account: str
    n_rounds: int
    corr: float | None
    mmc: float | None
    fnc: float | None
    cwmm: float | None
    alpha: float | None
    mpc: float | None
    at_risk: Amount
    paid: Amount
    burned: Amount
    profit: Amount
    stake: Amount


@dataclass(frozen=True, slots=True)
class AccountStanding:
    """One account's place on a board; scores are means over all rounds of all its models."""

    place: int
    account_id: AccountId
    account: str
    n_models: int
    n_rounds: int
    corr: float | None
    mmc: float | None
    fnc: float | None
    cwmm: float | None
    alpha: float | None
    mpc: float | None
    at_risk: Amount
    paid: Amount
    burned: Amount
    profit: Amount


def add_round(session: Session, number: RoundNumber) -> None:
    """Add a resolved round to the standings, and take out of each span the round that leaves it; once.

    Rounds are added one after the other: whoever resolves holds the ledger still.
    """
    if not repository.mark_added(session, number):
        return
    changes = [(span, int(number), 1) for span in SPANS]
    for span in SPANS:
        leaving = None if span == ALL_ROUNDS else repository.round_before(session, number, steps=span)
        if leaving is not None:
            changes.append((span, leaving, -1))
    spans, numbers, signs = zip(*changes, strict=True)
    repository.add_changes(session, spans=spans, numbers=numbers, signs=signs)


def model_board(
    session: Session,
    *,
    tournament_id: TournamentId,
    by: RankedBy = "corr",
    n_last: int = ALL_ROUNDS,
    staked: bool = True,
    after: int = 0,
    limit: int = 100,
) -> list[ModelStanding]:
    """Rank the models of a tournament, best first, from the place after `after`.

    Raises
    ------
    NotFound
        If there is no such tournament.
    InputError
        If there is no board over that many rounds.
    """
    board, unit = _board(session, tournament_id, n_last=n_last, staked=staked)
    places = repository.list_model_places(session, board, by=by, after=after, limit=limit)
    return [_model_standing(place, unit) for place in places]


def account_board(
    session: Session,
    *,
    tournament_id: TournamentId,
    by: RankedBy = "profit",
    n_last: int = ALL_ROUNDS,
    staked: bool = True,
    after: int = 0,
    limit: int = 100,
) -> list[AccountStanding]:
    """Rank the accounts of a tournament; parameters and errors are those of `model_board`."""
    board, unit = _board(session, tournament_id, n_last=n_last, staked=staked)
    places = repository.list_account_places(session, board, by=by, after=after, limit=limit)
    return [_account_standing(place, unit) for place in places]


def leaderboard(
    session: Session,
    *,
    by: Literal["corr", "mmc", "fnc", "cwmm", "profit"] = "corr",
    unit: Unit = POINTS,
    first_round: RoundNumber | None = None,
    last_round: RoundNumber | None = None,
) -> list[LeaderboardRow]:
    """Rank every model with a resolved round, best first; undefined means come last, ties by the older model."""
    standings = repository.list_standings(session, unit=unit.code, first=first_round, last=last_round)
    ranked = sorted(standings, key=lambda standing: _order(standing, by))
    return [_row(place, standing, unit) for place, standing in enumerate(ranked, start=1)]


def _board(session: Session, tournament_id: TournamentId, *, n_last: int, staked: bool) -> tuple[Board, Unit]:
    if n_last not in SPANS:
        raise InputError(
            f"n_last is {n_last}; there are boards over the last {', '.join(map(str, SPANS[1:]))} rounds, "
            f"and {ALL_ROUNDS} for all"
        )
    unit = get_tournament(session, tournament_id).rulebook.unit
    return Board(tournament_id=tournament_id, unit=unit.code, n_last=n_last, staked=staked), unit


def _model_standing(place: ModelPlace, unit: Unit) -> ModelStanding:
    return ModelStanding(
        place=place.place,
        model_id=ModelId(place.model_id),
        model=place.model,
        account_id=AccountId(place.account_id),
        account=place.account,
        n_rounds=place.n_rounds,
        corr=_score(place.corr),
        mmc=_score(place.mmc),
        fnc=_score(place.fnc),
        cwmm=_score(place.cwmm),
        alpha=_score(place.alpha),
        mpc=_score(place.mpc),
        at_risk=Amount(place.at_risk, unit),
        paid=Amount(place.paid, unit),
        burned=Amount(place.burned, unit),
        profit=Amount(place.paid - place.burned, unit),
        stake=Amount(place.stake, unit),
    )


def _account_standing(place: AccountPlace, unit: Unit) -> AccountStanding:
    return AccountStanding(
        place=place.place,
        account_id=AccountId(place.account_id),
        account=place.account,
        n_models=place.n_models,
        n_rounds=place.n_rounds,
        corr=_score(place.corr),
        mmc=_score(place.mmc),
        fnc=_score(place.fnc),
        cwmm=_score(place.cwmm),
        alpha=_score(place.alpha),
        mpc=_score(place.mpc),
        at_risk=Amount(place.at_risk, unit),
        paid=Amount(place.paid, unit),
        burned=Amount(place.burned, unit),
        profit=Amount(place.paid - place.burned, unit),
    )


def _order(standing: Standing, by: str) -> tuple[bool, float, int]:
    value = standing.paid - standing.burned if by == "profit" else getattr(standing, by)
    return value is None, -(value or 0), standing.model_id


def _row(place: int, standing: Standing, unit: Unit) -> LeaderboardRow:
    return LeaderboardRow(
        place=place,
        model_id=ModelId(standing.model_id),
        model=standing.model,
        account=standing.account,
        n_rounds=standing.n_rounds,
        corr=_score(standing.corr),
        mmc=_score(standing.mmc),
        fnc=_score(standing.fnc),
        cwmm=_score(standing.cwmm),
        at_risk=Amount(standing.at_risk, unit),
        paid=Amount(standing.paid, unit),
        burned=Amount(standing.burned, unit),
    )


def _score(mean: float | None) -> float | None:
    return None if mean is None else mean / QUANTUM
