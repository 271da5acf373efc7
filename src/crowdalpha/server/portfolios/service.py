"""Record what the meta model of each round was turned into."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.portfolio import PortfolioSolution
from crowdalpha.rules.errors import Conflict, NotFound
from crowdalpha.rules.ids import RoundNumber
from crowdalpha.rules.money import Amount, Unit
from crowdalpha.server.blobs import BlobStore
from crowdalpha.server.db.tables import PortfolioRow
from crowdalpha.server.log import get_log
from crowdalpha.server.portfolios import repository
from crowdalpha.server.rounds.frames import put_frame, read_frame
from crowdalpha.server.rounds.service import get_round

__all__ = ["Rebalancing", "get_weights", "list_rebalancings", "rebalance"]

log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Rebalancing:
    """The portfolio that a round led to; `relaxed` names the limits that could not all be held."""

    number: RoundNumber
    status: str
    relaxed: tuple[str, ...]
    weights_sha256: str
    nav: Amount


def rebalance(
    session: Session,
    *,
    blobs: BlobStore,
    number: RoundNumber,
    solution: PortfolioSolution,
    nav: Amount,
    now: datetime,
    assets: Sequence[str] | None = None,
) -> Rebalancing:
    """Record the weights chosen for a closed round, once.

    Parameters
    ----------
    session : Session
        Of the caller, who commits.
    blobs : BlobStore
        Takes the weights.
    number : RoundNumber
        The round whose meta model was used.
    solution : PortfolioSolution
        What the optimizer answered.
    nav : Amount
        Value of the portfolio just before.
    now : datetime
        Time of the decision.
    assets : sequence of str, optional
        One name a weight; the place in the universe otherwise.

    Raises
    ------
    Conflict
        If other weights or another value were recorded for the round.
    """
    number = get_round(session, number).number
    names = [str(place) for place in range(len(solution.weights))] if assets is None else list(assets)
    if len(names) != len(solution.weights):
        raise InputError(f"round {number}: {len(names)} assets for {len(solution.weights)} weights; name each once")
    row = PortfolioRow(
        round_number=number,
        status=solution.status,
        relaxed=list(solution.relaxed),
        weights_sha256=_put_weights(blobs, names, solution.weights),
        unit=nav.unit.code,
        nav=nav.base,
        nav_scale=nav.unit.scale,
        rebalanced_at=now,
    )
    wanted = _rebalancing(row)
    if repository.add(session, row):
        log.info("portfolio_rebalanced", round=number, status=row.status, relaxed=row.relaxed, nav=str(nav))
        return wanted
    stored = repository.find(session, number)
    if stored is None or _rebalancing(stored) != wanted:
        raise Conflict(f"round {number} was rebalanced to other weights; they are not replaced")
    return wanted


def get_weights(session: Session, *, blobs: BlobStore, number: RoundNumber) -> pl.DataFrame:
    """Read the weights of a round: columns `asset` and `weight`, in the order of the universe."""
    row = repository.find(session, number)
    if row is None:
        raise NotFound("portfolio of round", number)
    return read_frame(blobs, row.weights_sha256)


def list_rebalancings(session: Session) -> list[Rebalancing]:
    """List every rebalancing by round."""
    return [_rebalancing(row) for row in repository.list_all(session)]


def _put_weights(blobs: BlobStore, assets: Sequence[str], weights: NDArray[np.float64]) -> str:
    return put_frame(blobs, pl.DataFrame({"asset": list(assets), "weight": weights}))


def _rebalancing(row: PortfolioRow) -> Rebalancing:
    return Rebalancing(
        number=RoundNumber(row.round_number),
        status=row.status,
        relaxed=tuple(row.relaxed),
        weights_sha256=row.weights_sha256,
        nav=Amount(row.nav, Unit(row.unit, row.nav_scale)),
    )
