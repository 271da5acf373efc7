"""Scores of a model by round and day, and what they earned, under the names that clients know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import strawberry

from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.rules.money import Amount
from crowdalpha.rules.payout import QUANTUM, payout, payout_rate
from crowdalpha.rules.round import RoundState
from crowdalpha.server.models.service import Model, get_model
from crowdalpha.server.numerai.asking import Asked, Asking, model_id_of
from crowdalpha.server.numerai.rounds import SCORE_CONFIG_NAMES, config_id, newest_first
from crowdalpha.server.numerai.scalars import decimal_of, fixed_of
from crowdalpha.server.rounds.service import PositionView, Round, list_positions, payout_factors
from crowdalpha.server.scores.service import ScoreOfDay, model_history
from crowdalpha.server.submissions.service import list_submissions

__all__ = ["MAX_ROUNDS", "Part", "ScoreQueries", "parts_of"]

MAX_ROUNDS = 250
"""Most rounds of one answer."""
VERSION = "1"
"""Of every score: the rulebook of a round says how it was computed."""


@strawberry.type(name="SubmissionScoreRow")
class ScoreRowOut:
    """One score of one day of a round."""

    round_id: strawberry.ID
    submission_id: strawberry.ID | None
    round_number: int
    round_resolve_time: datetime
    round_score_time: datetime | None
    round_close_staking_time: datetime
    value: float
    percentile: float | None
    display_name: str
    version: str
    date: datetime
    day: int
    resolve_date: datetime
    resolved: bool


@strawberry.type
class PayoutMultiplier:
    """What a score counts in the pay of a round."""

    id: strawberry.ID
    score_config_id: strawberry.ID
    name: str
    version: str
    display_name: str
    multiplier: float


@strawberry.type
class PerfScore:
    """One score of one day, and its part in what the round pays."""

    date: datetime
    day: int
    display_name: str
    payout_pending: Decimal | None
    payout_settled: Decimal | None
    percentile: float | None
    value: float


@strawberry.type(name="RoundModelPerformance")
class PerformanceOut:
    """What a model did in a round."""

    at_risk: Decimal
    corr_multiplier: float | None
    mmc_multiplier: float | None
    tc_multiplier: float | None
    payout_multipliers: list[PayoutMultiplier]
    round_payout_factor: Decimal | None
    round_number: int
    round_open_time: datetime
    round_resolve_time: datetime
    round_resolved: bool
    round_target: str
    submission_scores: list[PerfScore]
    intra_round_submission_scores: list[PerfScore]


@dataclass(frozen=True)
class Part:
    """A model's part in one round: what it risked, scored and gained, as far as that is known."""

    row: Round
    position: PositionView
    days: Sequence[ScoreOfDay]
    factor: int | None

    @property
    def is_over(self) -> bool:
        """Whether the round pays and burns no more."""
        return self.row.state in (RoundState.RESOLVED, RoundState.VOID)

    @property
    def pending(self) -> Amount | None:
        """What the round would pay by its last scores, below zero burn; None when that is decided or unknown."""
        if self.is_over or self.factor is None or not self.days:
            return None
        scores: Mapping[str, int | None] = {
            name: self.days[-1].scores.get(name) for name in self.row.rulebook.multipliers
        }
        return payout(self.position.at_risk, payout_rate(scores, self.row.rulebook, self.factor))

    def share(self, amount: Amount | None, day: ScoreOfDay, name: str) -> Decimal | None:
        """Give the part of an amount that a score has by its weight in the sum that pays."""
        if amount is None or name not in self.row.rulebook.multipliers:
            return None
        weights = {
            each: multiplier * day.scores.get(each, 0)
            for each, multiplier in self.row.rulebook.multiplier_quanta().items()
        }
        whole = sum(weights.values())
        if whole == 0:
            return Decimal(0)
        exact = decimal_of(amount) * weights[name] / whole
        return exact.quantize(Decimal(1).scaleb(-amount.unit.scale))


@strawberry.type
class ScoreQueries:
    """Questions about scores; they need no key."""

    @strawberry.field
    def submission_scores(
        self,
        info: Asked,
        model_id: str,
        display_name: str | None = None,
        version: str | None = None,
        day: int | None = None,
        resolved: bool | None = None,
        tournament: int | None = None,
        last_n_rounds: int | None = None,
        distinct_on_round: bool | None = None,
    ) -> list[ScoreRowOut]:
        """List the scores of a model by round and day, newest round first."""
        parts = parts_of(info.context, _model(info.context, model_id), n_rounds=last_n_rounds)
        files = _counting_files(info.context, model_id_of(model_id))
        rows = [
            _row(part, each, name, files.get(part.row.number))
            for part in parts
            if resolved in (None, part.is_over) and tournament in (None, part.row.tournament_id)
            for each in (part.days[-1:] if distinct_on_round else part.days)
            if day in (None, each.scoring.day)
            for name in each.scores
        ]
        wanted = [row for row in rows if display_name in (None, row.display_name)]
        return [row for row in wanted if version in (None, row.version)]

    @strawberry.field
    def v2_round_model_performances(
        self,
        info: Asked,
        model_id: str,
        tournament: int | None = None,
        last_n_rounds: int | None = None,
        distinct_on_round: bool | None = None,
    ) -> list[PerformanceOut]:
        """List what a model did round by round, newest first."""
        parts = parts_of(info.context, _model(info.context, model_id), n_rounds=last_n_rounds)
        return [_performance(part) for part in parts if tournament in (None, part.row.tournament_id)]


def parts_of(asking: Asking, model: Model, *, n_rounds: int | None = None) -> list[Part]:
    """List a model's part in its last rounds, newest first."""
    positions = {view.number: view for view in list_positions(asking.session, model_ids=[model.id])}
    rounds = [row for row in newest_first(asking, model.tournament_id) if row.number in positions]
    rounds = rounds[: MAX_ROUNDS if n_rounds is None else min(max(n_rounds, 0), MAX_ROUNDS)]
    factors = payout_factors(asking.session, rounds)
    days: dict[RoundNumber, list[ScoreOfDay]] = {row.number: [] for row in rounds}
    for each in model_history(asking.session, model_id=model.id, n_rounds=MAX_ROUNDS):
        days.get(each.scoring.number, []).append(each)
    return [Part(row, positions[row.number], days[row.number], factors.get(row.number)) for row in rounds]


def _model(asking: Asking, model_id: str) -> Model:
    return get_model(asking.session, model_id_of(model_id))


def _counting_files(asking: Asking, model_id: ModelId) -> dict[RoundNumber, str]:
    """Give the id of the file that counts in each round: the last one that was not late."""
    listed = list_submissions(asking.session, model_id=model_id)
    ordered = sorted(listed, key=lambda each: (not each.is_late, each.sequence))
    return {each.number: str(each.id) for each in ordered}


def _row(part: Part, each: ScoreOfDay, name: str, submission: str | None) -> ScoreRowOut:
    row = part.row
    return ScoreRowOut(
        round_id=strawberry.ID(str(row.number)),
        submission_id=None if submission is None else strawberry.ID(submission),
        round_number=row.number,
        round_resolve_time=row.resolves_at,
        round_score_time=part.days[0].scoring.scored_at,
        round_close_staking_time=row.closes_at,
        value=each.scores[name] / QUANTUM,
        percentile=each.places.get(name),
        display_name=name,
        version=VERSION,
        date=each.scoring.scored_at,
        day=each.scoring.day,
        resolve_date=row.resolves_at,
        resolved=part.is_over,
    )


def _performance(part: Part) -> PerformanceOut:
    row = part.row
    multipliers = {name: float(text) for name, text in row.rulebook.multipliers.items()}
    return PerformanceOut(
        at_risk=decimal_of(part.position.at_risk),
        corr_multiplier=multipliers.get("corr"),
        mmc_multiplier=multipliers.get("mmc"),
        tc_multiplier=None,
        payout_multipliers=[
            PayoutMultiplier(
                id=strawberry.ID(config_id(row, name)),
                score_config_id=strawberry.ID(name),
                name=SCORE_CONFIG_NAMES.get(name, name),
                version=VERSION,
                display_name=name,
                multiplier=multiplier,
            )
            for name, multiplier in multipliers.items()
        ],
        round_payout_factor=fixed_of(part.factor),
        round_number=row.number,
        round_open_time=row.opens_at,
        round_resolve_time=row.resolves_at,
        round_resolved=part.is_over,
        round_target=row.rulebook.payout_target,
        submission_scores=[score for each in part.days[-1:] for score in _scores(part, each)],
        intra_round_submission_scores=[score for each in part.days for score in _scores(part, each)],
    )


def _scores(part: Part, each: ScoreOfDay) -> list[PerfScore]:
    """Show the scores of a day; only the last day's have a part in what is paid."""
    is_last = each is part.days[-1]
    pending, settled = (part.pending, part.position.delta) if is_last else (None, None)
    return [
        PerfScore(
            date=each.scoring.scored_at,
            day=each.scoring.day,
            display_name=name,
            payout_pending=part.share(pending, each, name),
            payout_settled=part.share(settled, each, name),
            percentile=each.places.get(name),
            value=value / QUANTUM,
        )
        for name, value in each.scores.items()
    ]
