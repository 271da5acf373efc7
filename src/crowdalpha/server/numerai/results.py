"""What rounds pay the own models, and where the scoring of a day stands."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import strawberry

from crowdalpha.errors import InputError
from crowdalpha.rules.ids import TournamentId
from crowdalpha.rules.money import Amount
from crowdalpha.server.models.service import Model
from crowdalpha.server.numerai.asking import Asked
from crowdalpha.server.numerai.rounds import newest_first
from crowdalpha.server.numerai.scalars import decimal_of
from crowdalpha.server.numerai.scores import Part, parts_of
from crowdalpha.server.scores.service import scorings_between

__all__ = ["ResultQueries"]

PIPELINES = {"classic": TournamentId(8), "signals": TournamentId(11), "crypto": TournamentId(12)}
"""What clients call the tournaments here."""

READ = "read_user_info"


@strawberry.type
class ModelPayout:
    """What a round pays a model, below zero burns; the value is in the unit of the tournament."""

    round_id: strawberry.ID
    round_number: int
    round_resolve_time: datetime
    model_id: strawberry.ID
    model_name: str
    model_display_name: str
    payout_nmr: Decimal
    payout_value: Decimal
    currency_symbol: str


@strawberry.type
class ModelPayouts:
    """What was decided, and what is pending."""

    actual: list[ModelPayout]
    pending: list[ModelPayout]


@strawberry.type
class PipelineStatus:
    """What was done for a tournament on a day."""

    data_ready_at: datetime | None
    is_scoring_day: bool
    resolved_at: datetime | None
    scored_at: datetime | None
    started_at: datetime | None
    tournament: str


@strawberry.type
class ResultQueries:
    """Questions about results."""

    @strawberry.field
    def pending_model_payouts(self, info: Asked, tournament: int | None = None) -> ModelPayouts:
        """List what the rounds of the own models paid, and would pay by their last scores."""
        models = [each for each in info.context.own_models(READ) if tournament in (None, each.tournament_id)]
        parts = [(model, part) for model in models for part in parts_of(info.context, model)]
        return ModelPayouts(
            actual=[_payout(model, part, part.position.delta) for model, part in parts if part.position.delta],
            pending=[_payout(model, part, part.pending) for model, part in parts if part.pending],
        )

    @strawberry.field
    def pipeline_status(self, info: Asked, tournament: str, date: str | None = None) -> PipelineStatus:
        """Say what was done for a tournament on a day: today if none is named."""
        asking, day = info.context, _day(date, info.context.now)
        first = datetime.combine(day, time(), UTC)
        end = first + timedelta(days=1)
        rounds = {row.number: row for row in newest_first(asking, PIPELINES.get(tournament, 0))}
        scorings = [
            each
            for each in scorings_between(asking.session, first=first, end=min(end, asking.now))
            if each.number in rounds
        ]
        opened = [row.opens_at for row in rounds.values() if first <= row.opens_at < min(end, asking.now)]
        return PipelineStatus(
            data_ready_at=min(opened, default=None),
            is_scoring_day=bool(scorings),
            resolved_at=max((each.scored_at for each in scorings if each.is_final), default=None),
            scored_at=max((each.scored_at for each in scorings), default=None),
            started_at=min((each.scored_at for each in scorings), default=None),
            tournament=tournament,
        )


def _payout(model: Model, part: Part, amount: Amount) -> ModelPayout:
    return ModelPayout(
        round_id=strawberry.ID(str(part.row.number)),
        round_number=part.row.number,
        round_resolve_time=part.row.resolves_at,
        model_id=strawberry.ID(str(model.id)),
        model_name=model.name,
        model_display_name=model.name,
        payout_nmr=decimal_of(amount),
        payout_value=decimal_of(amount),
        currency_symbol=amount.unit.code,
    )


def _day(text: str | None, now: datetime) -> date:
    if text is None:
        return now.astimezone(UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"date {text[:40]!r}: write a day such as 2024-01-31") from error
