"""Rounds and tournaments under the names that clients know."""

from datetime import datetime
from decimal import Decimal
from enum import Enum

import strawberry

from crowdalpha.rules.errors import Conflict, NotFound
from crowdalpha.rules.ids import TournamentId
from crowdalpha.rules.round import RoundState
from crowdalpha.server.numerai.asking import Asked, Asking
from crowdalpha.server.numerai.scalars import fixed_of
from crowdalpha.server.rounds.service import Round, list_rounds, payout_factors
from crowdalpha.server.tournaments.service import list_tournaments

__all__ = ["SCORE_CONFIG_NAMES", "RoundQueries", "config_id", "newest_first", "opened_only", "opened_rounds"]

SCORE_CONFIG_NAMES = {"corr": "correlation", "mmc": "meta_model_contribution", "fnc": "feature_neutral_correlation"}
"""Names that clients look for among the scores of a round; others keep their own."""

OVER = (RoundState.RESOLVED, RoundState.VOID)


@strawberry.enum
class RoundStatus(Enum):
    """Where a round stands."""

    UPCOMING = "UPCOMING"
    OPEN = "OPEN"
    RESOLVING = "RESOLVING"
    RESOLVED = "RESOLVED"


STATES = {
    RoundStatus.UPCOMING: (RoundState.SCHEDULED,),
    RoundStatus.OPEN: (RoundState.OPEN,),
    RoundStatus.RESOLVING: (RoundState.CLOSED, RoundState.SCORING),
    RoundStatus.RESOLVED: OVER,
}


@strawberry.type(name="Tournament")
class TournamentOut:
    """A contest."""

    id: strawberry.ID
    name: str
    tournament: int
    active: bool


@strawberry.type(name="RoundScoreConfig")
class ScoreConfigOut:
    """A score that a round pays for."""

    id: strawberry.ID
    score_config_id: strawberry.ID
    round_number_start: int
    round_number_end: int | None
    name: str
    version: str
    display_name: str
    total_score_days: int
    returns_lag_days: int
    data_delay_days: int
    universe: str
    is_canon_score: bool
    is_payout: bool
    scoring_start: datetime
    scoring_end: datetime
    min_multiplier: float
    max_multiplier: float
    default_multiplier: float
    clip_threshold: float
    stake_threshold: float
    payout_factor: Decimal | None


@strawberry.type(name="Round")
class RoundOut:
    """One run of a tournament."""

    id: strawberry.ID
    tournament: int
    number: int
    target: str
    open_time: datetime
    close_time: datetime
    close_staking_time: datetime
    score_time: datetime | None
    resolve_time: datetime
    resolved_general: bool
    resolved_staking: bool
    payout_factor: Decimal | None
    stake_threshold: float
    data_datestamp: int
    round_score_configs: list[ScoreConfigOut]
    min_corr_multiplier: float | None
    max_corr_multiplier: float | None
    default_corr_multiplier: float | None
    min_mmc_multiplier: float | None
    max_mmc_multiplier: float | None
    default_mmc_multiplier: float | None


@strawberry.type
class RoundQueries:
    """Questions about rounds; they need no key."""

    @strawberry.field
    def tournaments(self, info: Asked) -> list[TournamentOut]:
        """List the tournaments."""
        return [
            TournamentOut(id=strawberry.ID(str(each.id)), name=each.name, tournament=each.id, active=True)
            for each in list_tournaments(info.context.session)
        ]

    @strawberry.field
    def rounds(
        self,
        info: Asked,
        tournament: int | None = None,
        number: int | None = None,
        target: str | None = None,
        status: RoundStatus | None = None,
        limit: int | None = None,
    ) -> list[RoundOut]:
        """List rounds, newest first; number 0 is the round that opened last."""
        if number == 0:
            return _all_shown(info.context, opened_rounds(info.context, tournament)[:1])
        rounds = newest_first(info.context, tournament)
        wanted = tuple(RoundState) if status is None else STATES[status]
        found = [
            row
            for row in rounds
            if number in (None, row.number) and target in (None, row.rulebook.payout_target) and row.state in wanted
        ]
        return _all_shown(info.context, found[: None if limit is None else max(limit, 0)])


def newest_first(asking: Asking, tournament: int | None) -> list[Round]:
    """List the rounds of a tournament, or of all, newest first."""
    wanted = None if tournament is None else TournamentId(tournament)
    return list_rounds(asking.session, tournament_id=wanted)[::-1]


def opened_rounds(asking: Asking, tournament: int | None) -> list[Round]:
    """List the rounds that have opened, newest first; refuses if there are none.

    Between rounds the first is the one that opened last: its times tell clients that it is not open now.
    """
    if tournament is not None and TournamentId(tournament) not in {t.id for t in list_tournaments(asking.session)}:
        raise NotFound("tournament", tournament)
    opened = opened_only(newest_first(asking, tournament), now=asking.now)
    if not opened:
        raise Conflict("Current round not open for submissions")
    return opened


def opened_only(rounds: list[Round], *, now: datetime) -> list[Round]:
    """Keep the rounds that have opened and were not called off, the one that opened last first."""
    opened = [row for row in rounds if row.opens_at <= now and row.state not in (RoundState.SCHEDULED, RoundState.VOID)]
    return sorted(opened, key=lambda row: (row.opens_at, row.number), reverse=True)


def config_id(row: Round, score: str) -> str:
    """Name a score of a round."""
    return f"{row.number}-{score}"


def _all_shown(asking: Asking, rounds: list[Round]) -> list[RoundOut]:
    factors = payout_factors(asking.session, rounds)
    return [_shown(row, fixed_of(factors.get(row.number))) for row in rounds]


def _shown(row: Round, factor: Decimal | None) -> RoundOut:
    multipliers = {name: float(text) for name, text in row.rulebook.multipliers.items()}
    corr, mmc = multipliers.get("corr"), multipliers.get("mmc")
    return RoundOut(
        id=strawberry.ID(str(row.number)),
        tournament=row.tournament_id,
        number=row.number,
        target=row.rulebook.payout_target,
        open_time=row.opens_at,
        close_time=row.closes_at,
        close_staking_time=row.closes_at,
        score_time=None,
        resolve_time=row.resolves_at,
        resolved_general=row.state in OVER,
        resolved_staking=row.state in OVER,
        payout_factor=factor,
        stake_threshold=float(row.rulebook.stake_threshold),
        data_datestamp=int(row.opens_at.strftime("%Y%m%d")),
        round_score_configs=[_config(row, name, multiplier, factor) for name, multiplier in multipliers.items()],
        min_corr_multiplier=corr,
        max_corr_multiplier=corr,
        default_corr_multiplier=corr,
        min_mmc_multiplier=mmc,
        max_mmc_multiplier=mmc,
        default_mmc_multiplier=mmc,
    )


def _config(row: Round, score: str, multiplier: float, factor: Decimal | None) -> ScoreConfigOut:
    rules = row.rulebook
    return ScoreConfigOut(
        id=strawberry.ID(config_id(row, score)),
        score_config_id=strawberry.ID(score),
        round_number_start=row.number,
        round_number_end=row.number,
        name=SCORE_CONFIG_NAMES.get(score, score),
        version="1",
        display_name=score,
        total_score_days=rules.horizon_days,
        returns_lag_days=rules.lag_days,
        data_delay_days=0,
        universe=rules.tournament,
        is_canon_score=True,
        is_payout=multiplier > 0,
        scoring_start=row.closes_at,
        scoring_end=row.resolves_at,
        min_multiplier=multiplier,
        max_multiplier=multiplier,
        default_multiplier=multiplier,
        clip_threshold=float(rules.clip),
        stake_threshold=float(rules.stake_threshold),
        payout_factor=factor if multiplier > 0 else None,
    )
