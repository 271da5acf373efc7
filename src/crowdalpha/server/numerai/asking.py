"""Who asks, and with what: the context of every resolver."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session
from strawberry.types import Info

from crowdalpha.errors import InputError
from crowdalpha.rules.errors import Forbidden, NotFound
from crowdalpha.rules.ids import AccountId, ModelId, TournamentId
from crowdalpha.server.bootstrap import Platform
from crowdalpha.server.errors import Unauthenticated
from crowdalpha.server.keys.service import Caller
from crowdalpha.server.models.service import Model, list_models, own_model

__all__ = ["Asked", "Asking", "model_id_of", "whole_number"]


@dataclass(frozen=True)
class Asking:
    """One request: its transaction, its time, and who it is from."""

    platform: Platform
    session: Session
    now: datetime
    caller: Caller | None
    base_url: str
    upload_url: Callable[[str], str]

    def account(self, scope: str) -> AccountId:
        """Tell which account asks; refuses a request without a key, or whose key lacks the scope."""
        if self.caller is None:
            raise Unauthenticated
        if scope not in self.caller.scopes:
            raise Forbidden(f"this key lacks the scope {scope}; make a key that has it")
        return self.caller.account_id

    def own_models(self, scope: str) -> list[Model]:
        """List the models of the account that asks."""
        account_id = self.account(scope)
        return list_models(self.session, account_id=account_id)

    def own_model(self, model_id: str | None, *, scope: str, tournament: int | None = None) -> Model:
        """Find the model that a request names, or the only one that it can mean.

        Raises
        ------
        NotFound
            If the account has no such model.
        InputError
            If it is not in that tournament, or none is named and the account does not have exactly one there.
        """
        if not model_id:
            return _only(self.own_models(scope), tournament)
        model = own_model(self.session, model_id_of(model_id), account_id=self.account(scope))
        if tournament is not None and model.tournament_id != tournament:
            raise InputError(f"model {model.name} is in tournament {model.tournament_id}, not in {tournament}")
        return model


Asked = Info[Asking, None]


def model_id_of(text: str) -> ModelId:
    """Read the id of a model, or refuse with `NotFound`."""
    return ModelId(whole_number(text, what="model"))


def whole_number(text: str, *, what: str) -> int:
    """Read an id; text that is no whole number names nothing."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):  # noqa: PLR2004  # digits of a BIGINT
        raise NotFound(what, text[:40])
    return int(text)


def _only(models: list[Model], tournament: int | None) -> Model:
    found = [model for model in models if tournament is None or model.tournament_id == TournamentId(tournament)]
    if len(found) != 1:
        raise InputError(f"modelId: the account has {len(found)} models there; name the one that is meant")
    return found[0]
