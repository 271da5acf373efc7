"""What everybody may see of accounts and models, and what owners say of their models."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

import strawberry

from crowdalpha.rules.errors import NotFound
from crowdalpha.rules.ids import TournamentId
from crowdalpha.rules.money import Amount
from crowdalpha.rules.payout import QUANTUM
from crowdalpha.server.accounts.service import list_accounts
from crowdalpha.server.models.service import Model, find_model, list_models, set_bio, set_link
from crowdalpha.server.numerai.asking import Asked, Asking
from crowdalpha.server.numerai.scalars import decimal_of
from crowdalpha.server.numerai.scores import Part, parts_of
from crowdalpha.server.stakes.service import stake_of
from crowdalpha.server.tournaments.service import get_tournament, list_tournaments

__all__ = ["ProfileMutations", "ProfileQueries"]

CLASSIC, SIGNALS = TournamentId(8), TournamentId(11)
WRITE = "write_user_info"
MEAN_OVER = 20
"""Resolved rounds that a reputation is the mean of."""


@strawberry.type
class ProfileModel:
    """A model of an account."""

    id: strawberry.ID
    display_name: str


@strawberry.type
class AccountProfile:
    """An account."""

    models: list[ProfileModel]


@strawberry.type
class DailyModelPerformance:
    """Means over a model's last resolved rounds, on a day on which one was resolved; ranks are not kept."""

    date: datetime
    corr_rep: float | None
    mmc_rep: float | None
    fnc_rep: float | None
    fnc_v3_rep: float | None
    tc_rep: float | None = None
    corr20d_rep: float | None = None
    corr60_rep: float | None = None
    ic_rep: float | None = None
    mmc20d_rep: float | None = None
    corr_rank: int | None = None
    mmc_rank: int | None = None
    fnc_rank: int | None = None
    fnc_v3_rank: int | None = None
    tc_rank: int | None = None
    corr20d_rank: int | None = None
    corr60_rank: int | None = None
    ic_rank: int | None = None
    mmc20d_rank: int | None = None


@strawberry.type
class ModelProfile:
    """A model, as everybody sees it."""

    id: strawberry.ID
    username: str
    start_date: datetime
    bio: str | None
    nmr_staked: Decimal
    stake_value: Decimal
    model: strawberry.Private[Model]

    @strawberry.field
    def daily_model_performances(self, info: Asked) -> list[DailyModelPerformance]:
        """List how the model's means moved, newest first."""
        return _daily(parts_of(info.context, self.model))


@strawberry.type
class ProfileQueries:
    """Questions about others; they need no key."""

    @strawberry.field
    def account_profile(self, info: Asked, username: str, tournament: int | None = None) -> AccountProfile:
        """List the models of an account."""
        session = info.context.session
        account = next((each for each in list_accounts(session) if each.name == username), None)
        if account is None:
            raise NotFound("account", username[:100])
        wanted = None if tournament is None else TournamentId(tournament)
        models = list_models(session, account_id=account.id, tournament_id=wanted)
        return AccountProfile(
            models=[ProfileModel(id=strawberry.ID(str(each.id)), display_name=each.name) for each in models]
        )

    @strawberry.field
    def v3_user_profile(
        self, info: Asked, model_name: str | None = None, tournament: int | None = None
    ) -> ModelProfile:
        """Show a model by its name; without a tournament, that of the first tournament that has the name."""
        return _profile(info.context, model_name or "", tournament, first=CLASSIC)

    @strawberry.field
    def v2_signals_profile(
        self, info: Asked, model_name: str | None = None, tournament: int | None = None
    ) -> ModelProfile:
        """Show a model of a tournament on named assets by its name."""
        return _profile(info.context, model_name or "", tournament, first=SIGNALS)


@strawberry.type
class ProfileMutations:
    """What owners say of their models."""

    @strawberry.mutation
    def set_user_bio(self, info: Asked, value: str, model_id: str | None = None) -> bool:
        """Write what a model says of itself."""
        model = info.context.own_model(model_id, scope=WRITE)
        set_bio(info.context.session, model_id=model.id, bio=value)
        return True

    @strawberry.mutation
    def set_user_link(
        self, info: Asked, link_url: str, link_text: str | None = None, model_id: str | None = None
    ) -> bool:
        """Write where a model sends its readers."""
        model = info.context.own_model(model_id, scope=WRITE)
        set_link(info.context.session, model_id=model.id, url=link_url, text=link_text)
        return True


def _profile(asking: Asking, name: str, tournament: int | None, *, first: TournamentId) -> ModelProfile:
    ids = [each.id for each in list_tournaments(asking.session) if tournament in (None, each.id)]
    for tournament_id in sorted(ids, key=lambda each: (each != first, each)):
        model = find_model(asking.session, tournament_id=tournament_id, name=name)
        if model is not None:
            staked = _staked(asking, model)
            return ModelProfile(
                id=strawberry.ID(str(model.id)),
                username=model.name,
                start_date=model.created_at,
                bio=model.bio,
                nmr_staked=decimal_of(staked),
                stake_value=decimal_of(staked),
                model=model,
            )
    raise NotFound("model", repr(name[:100]))


def _staked(asking: Asking, model: Model) -> Amount:
    unit = get_tournament(asking.session, model.tournament_id).rulebook.unit
    return stake_of(asking.session, model_id=model.id, unit=unit)


def _daily(parts: Sequence[Part]) -> list[DailyModelPerformance]:
    """Give one row a day on which a round got its final scores: means over the rounds up to it."""
    final = [part for part in parts if part.days and part.days[-1].scoring.is_final]
    days: dict[date, DailyModelPerformance] = {}
    for place, part in enumerate(final):
        window = final[place : place + MEAN_OVER]
        scored_at = part.days[-1].scoring.scored_at
        fnc = _mean(window, "fnc")
        row = DailyModelPerformance(
            date=scored_at, corr_rep=_mean(window, "corr"), mmc_rep=_mean(window, "mmc"), fnc_rep=fnc, fnc_v3_rep=fnc
        )
        days.setdefault(scored_at.date(), row)
    return list(days.values())


def _mean(parts: Sequence[Part], name: str) -> float | None:
    values = [value for part in parts if (value := part.days[-1].scores.get(name)) is not None]
    return sum(values) / len(values) / QUANTUM if values else None
