"""Enter and read models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.rules.errors import Conflict, NotFound
from crowdalpha.rules.ids import AccountId, ModelId, TournamentId
from crowdalpha.rules.ledger import AccountRef, available, hold, stake, unstake
from crowdalpha.server.accounts.service import get_account, valid_name
from crowdalpha.server.db.tables import ModelRow
from crowdalpha.server.log import get_log
from crowdalpha.server.models import repository
from crowdalpha.server.tournaments.service import get_tournament

__all__ = [
    "Model",
    "accounts_of",
    "create_model",
    "find_model",
    "get_model",
    "ledger_accounts_of",
    "list_models",
    "own_model",
    "set_bio",
    "set_link",
    "set_rolls_over",
]

log = get_log(__name__)

MAX_BIO, MAX_URL, MAX_LINK_TEXT = 2000, 500, 100
"""Characters in what a model says of itself."""


@dataclass(frozen=True, slots=True)
class Model:
    """A participant's entrant."""

    id: ModelId
    account_id: AccountId
    tournament_id: TournamentId
    name: str
    bio: str | None
    link_url: str | None
    link_text: str | None
    rolls_over: bool
    created_at: datetime


def create_model(
    session: Session, *, account_id: AccountId, tournament_id: TournamentId, name: str, now: datetime
) -> Model:
    """Enter a model; a repeat with the same name and account gives the same model.

    Raises
    ------
    NotFound
        If there is no such account or tournament.
    Conflict
        If another account has a model of that name in the tournament.
    """
    get_account(session, account_id)
    get_tournament(session, tournament_id)
    name = valid_name(name, what="model")
    row = repository.add(session, account_id=account_id, tournament_id=tournament_id, name=name, now=now)
    if row is None:
        row = repository.find_by_name(session, name, tournament_id=tournament_id)
        if row is None or row.account_id != account_id:
            raise Conflict(f"the model name {name!r} is taken; choose another")
        return _model(row)
    log.info("model_created", model_id=row.id, account_id=account_id)
    return _model(row)


def get_model(session: Session, model_id: ModelId) -> Model:
    """Read a model, or refuse with `NotFound`."""
    row = repository.find(session, model_id)
    if row is None:
        raise NotFound("model", model_id)
    return _model(row)


def accounts_of(session: Session, model_ids: Sequence[ModelId]) -> list[AccountId]:
    """Read whose models these are, in their order; a model that is not there is refused with `NotFound`."""
    owners = {row.id: AccountId(row.account_id) for row in repository.list_these(session, model_ids)}
    for model_id in model_ids:
        if model_id not in owners:
            raise NotFound("model", model_id)
    return [owners[model_id] for model_id in model_ids]


def find_model(session: Session, *, tournament_id: TournamentId, name: str) -> Model | None:
    """Find a model by its name in a tournament."""
    row = repository.find_by_name(session, name, tournament_id=tournament_id)
    return None if row is None else _model(row)


def list_models(
    session: Session, *, account_id: AccountId | None = None, tournament_id: TournamentId | None = None
) -> list[Model]:
    """List models by id: all, of an account, of a tournament."""
    return [_model(row) for row in repository.list_all(session, account_id=account_id, tournament_id=tournament_id)]


def own_model(session: Session, model_id: ModelId, *, account_id: AccountId) -> Model:
    """Read a model of an account; that of another is refused with `NotFound`, as one that is not there."""
    model = get_model(session, model_id)
    if model.account_id != account_id:
        raise NotFound("model", model_id)
    return model


def ledger_accounts_of(session: Session, account_id: AccountId) -> list[AccountRef]:
    """Name the accounts of the ledger that hold money of a participant: its own, and those of its models."""
    models = list_models(session, account_id=account_id)
    return [
        available(account_id),
        hold(account_id),
        *(stake(model.id) for model in models),
        *(unstake(model.id) for model in models),
    ]


def set_bio(session: Session, *, model_id: ModelId, bio: str | None) -> None:
    """Write what a model says of itself; None takes it away."""
    if bio is not None and len(bio) > MAX_BIO:
        raise InputError(f"bio: {len(bio)} characters; use at most {MAX_BIO}")
    _describe(session, model_id, {"bio": bio})


def set_link(session: Session, *, model_id: ModelId, url: str | None, text: str | None) -> None:
    """Write where a model sends its readers; None takes it away.

    Raises
    ------
    InputError
        If the address is none of the web, or something is too long.
    """
    if url is not None and (len(url) > MAX_URL or not url.isprintable() or not url.startswith(("https://", "http://"))):
        raise InputError(f"link {url!r:.60}: use an address of at most {MAX_URL} characters that starts with https://")
    if text is not None and (len(text) > MAX_LINK_TEXT or not text.isprintable()):
        raise InputError(f"text of the link: use at most {MAX_LINK_TEXT} printable characters")
    _describe(session, model_id, {"link_url": url, "link_text": text})


def set_rolls_over(session: Session, *, model_id: ModelId, rolls_over: bool) -> None:
    """Say whether the last file of a model is handed in again to each round that it sends nothing to.

    Raises
    ------
    NotFound
        If there is no such model.
    InputError
        If the tournament has new ids in every round.
    """
    model = get_model(session, model_id)
    if rolls_over and get_tournament(session, model.tournament_id).kind != "named":
        raise InputError("rolls_over: the ids of this tournament are new in every round; hand in a file for each")
    _describe(session, model_id, {"rolls_over": rolls_over})


def _describe(session: Session, model_id: ModelId, values: Mapping[str, str | bool | None]) -> None:
    if not repository.describe(session, model_id, values):
        raise NotFound("model", model_id)
    log.info("model_described", model_id=model_id, fields=sorted(values))


def _model(row: ModelRow) -> Model:
    return Model(
        id=ModelId(row.id),
        account_id=AccountId(row.account_id),
        tournament_id=TournamentId(row.tournament_id),
        name=row.name,
        bio=row.bio,
        link_url=row.link_url,
        link_text=row.link_text,
        created_at=row.created_at,
        rolls_over=row.rolls_over,
    )
