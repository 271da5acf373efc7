"""Reads a season that is over out of the platform: recorded scores, positions and ledger, into arrays."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from crowdalpha.lab.config import SeasonConfig
from crowdalpha.lab.crowd import Crowd
from crowdalpha.lab.fund import Fund
from crowdalpha.lab.operator import Operator
from crowdalpha.lab.record import BookRecord, DataRecord, MoneyRecord, ScoreRecord, SeasonRecord, WorthRecord
from crowdalpha.lab.trading import START_VALUE
from crowdalpha.portfolio import performance
from crowdalpha.release import verify_manifest
from crowdalpha.rules.contribution import recorded_weights
from crowdalpha.rules.ids import ModelId
from crowdalpha.rules.money import Amount
from crowdalpha.rules.payout import QUANTUM
from crowdalpha.rules.verify import verify_round
from crowdalpha.server.ledger import service as ledger
from crowdalpha.server.portfolios import service as portfolios
from crowdalpha.server.rounds import service as rounds
from crowdalpha.server.scores import service as scores
from crowdalpha.server.sealed import service as sealed

FloatArray = NDArray[np.float64]

__all__ = ["record_season"]


def record_season(
    config: SeasonConfig, operator: Operator, crowd: Crowd, fund: Fund, *, seconds: float
) -> SeasonRecord:
    """Gather what summary and report are made from.

    Parameters
    ----------
    config : SeasonConfig
        What was asked for.
    operator : Operator
        Whose platform is read.
    crowd : Crowd
        Gives the order of the models.
    fund : Fund
        The book.
    seconds : float
        How long the season took.

    Returns
    -------
    SeasonRecord
        Everything but `seconds` is decided by the config.
    """
    return SeasonRecord(
        config=config,
        scores=_scores(operator, crowd, config.rounds),
        money=_money(operator, crowd, config.rounds),
        book=_book(operator, fund),
        worth=_worth(operator, crowd, config.rounds),
        data=_data(operator),
        seconds=seconds,
    )


def _scores(operator: Operator, crowd: Crowd, n_rounds: int) -> ScoreRecord:
    with operator.platform.session() as session:
        finals = scores.list_scores(session, final=True)
        metas = scores.list_meta_model_scores(session, final=True)
    place = _places(crowd)

    def grid(read: Callable[[scores.ModelScore], int | None]) -> FloatArray:
        values = np.full((n_rounds, len(place)), np.nan)
        for each in finals:
            values[each.number - 1, place[each.model_id]] = _from_quanta(read(each))
        return values

    return ScoreRecord(
        names=tuple(each.name for each in crowd.roster),
        archetypes=tuple(each.archetype for each in crowd.roster),
        model_ids=tuple(crowd.model_ids[each.name] for each in crowd.roster),
        dates=operator.market.era_dates[operator.first_era : operator.first_era + n_rounds],
        corr=grid(lambda each: each.corr),
        mmc=grid(lambda each: each.mmc),
        fnc=grid(lambda each: each.fnc),
        cwmm=grid(lambda each: each.cwmm),
        max_exposure=grid(lambda each: each.max_exposure),
        meta_corr=np.array([_from_quanta(each.corr) for each in sorted(metas, key=lambda each: each.number)]),
    )


def _money(operator: Operator, crowd: Crowd, n_rounds: int) -> MoneyRecord:
    unit = operator.rulebook.unit
    with operator.platform.session() as session:
        positions = rounds.list_positions(session)
        transfers, imbalance = ledger.count_transfers(session), ledger.sum_of_balances(session, unit)
    place = _places(crowd)
    at_risk, delta = np.zeros((n_rounds, len(place))), np.zeros((n_rounds, len(place)))
    paid, burned = Amount.zero(unit), Amount.zero(unit)
    for each in positions:
        at_risk[each.number - 1, place[each.model_id]] = _for_plots(each.at_risk)
        if each.delta is None:
            continue
        delta[each.number - 1, place[each.model_id]] = _for_plots(each.delta)
        gained = each.delta > Amount.zero(unit)
        paid, burned = (paid + each.delta, burned) if gained else (paid, burned - each.delta)
    return MoneyRecord(
        at_risk=at_risk,
        delta=delta,
        stakes=np.array([float(each.stake) for each in crowd.roster]),
        paid=paid,
        burned=burned,
        transfers=transfers,
        sum_of_balances=imbalance,
    )


def _book(operator: Operator, fund: Fund) -> BookRecord:
    days = fund.days
    returns: FloatArray = np.array([day.daily_return for day in days])
    relaxed = [limit for solution in fund.solutions for limit in solution.relaxed]
    return BookRecord(
        dates=operator.market.panel.dates[fund.rows],
        value=np.array([day.book.value for day in days]) / START_VALUE,
        gross=np.array([day.gross for day in days]),
        turnover=np.array([day.turnover for day in days]),
        cost=np.array([day.trade_cost + day.holding_cost for day in days]),
        exposures={name: np.concatenate([week[name] for week in fund.exposures]) for name in fund.exposures[0]},
        performance=performance(returns),
        relaxed={limit: relaxed.count(limit) for limit in sorted(set(relaxed))},
        solved=len(fund.solutions),
        round_returns=_round_returns(returns, [len(week["market"]) for week in fund.exposures]),
    )


def _round_returns(returns: FloatArray, days: Sequence[int]) -> FloatArray:
    """Add the daily returns of each round up, as a year's return adds them."""
    return np.array([week.sum() for week in np.split(returns, np.cumsum(days)[:-1])])


def _worth(operator: Operator, crowd: Crowd, n_rounds: int) -> WorthRecord:
    place, blobs = _places(crowd), operator.platform.blobs
    with operator.platform.session() as session:
        rows = portfolios.list_contributions(session)
        returns = portfolios.list_book_returns(session)
        closes = [rounds.closed_record(session, blobs=blobs, number=each.number) for each in returns]
    shape = (n_rounds, len(place))
    found = {name: np.full(shape, np.nan) for name in ("tc", "tc_error", "attributed", "mpc")}
    for row in rows:
        for name, values in found.items():
            values[row.number - 1, place[row.model_id]] = _from_quanta(getattr(row, name))
    weights = np.zeros(shape)
    for close in closes:
        used = recorded_weights(close, operator.rulebook)
        for model, share in zip(close.snapshot, used / used.sum(), strict=True):
            weights[close.round_number - 1, place[model.model_id]] = share
    return WorthRecord(
        **found, book_return=np.array([_from_quanta(each.book_return) for each in returns]), weights=weights
    )


def _data(operator: Operator) -> DataRecord:
    market, panel = operator.market, operator.market.panel
    manifest = verify_manifest(operator.work.dataset)
    members = market.universe.sum(axis=1)
    rows = {name: entry.rows for name, entry in manifest.files.items()}
    success, chance = (manifest.audit[f"linkage_next_era_{name}"] for name in ("success", "chance"))
    facts = {
        "price panel": (
            f"{len(panel.tickers):,} names, {len(panel.dates):,} trading days, {panel.dates[0]} to {panel.dates[-1]}"
        ),
        "universe": f"{members.min()} to {members.max()} names an era, {market.n_eras} weekly eras",
        "countries, sectors": f"{len(set(panel.country))}, {len(set(panel.sector))}",
        "features, targets": f"{len(market.feature_names)}, {', '.join(market.targets)}",
        "factors": ", ".join(_short(market.factor_names)),
        "published rows": f"{rows['train.parquet']:,} train, {rows['validation.parquet']:,} validation",
        "obfuscation": (
            f"policy {manifest.policy}; rows linked to the same company one era later: {float(success):.0%} "
            f"(by chance {float(chance):.1%}). It hides names, not from somebody who owns the prices."
        ),
    }
    bundles = sorted(operator.work.evidence.glob("*.json"))
    verified = sum(verify_round(path.read_bytes()).ok for path in bundles)
    facts["evidence"] = f"{verified} of {len(bundles)} rounds verified offline, from the bundle alone, in evidence/"
    if operator.has_sealed:
        facts["sealed track"] = _sealed(operator)
    findings = tuple((each.rule, each.count, each.action, each.example) for each in market.checks.findings)
    return DataRecord(findings=findings, facts=facts)


def _sealed(operator: Operator) -> str:
    """Say what the sealed track was asked, and why its models have no CORR."""
    with operator.platform.session() as session:
        keys = sealed.list_keys(session)
    given = sum(key.answers_allowed - key.answers_left for key in keys)
    allowed = sum(key.answers_allowed for key in keys)
    return (
        f"{len(keys)} keys, one a round, {sum(key.wiped_at is not None for key in keys)} destroyed; {given:,} of "
        f"{allowed:,} answers reserved. Of models on encrypted rows only the score that pays is told, in thousandths; "
        "meta models and True Contribution are not published."
    )


def _short(factor_names: Sequence[str]) -> list[str]:
    """Factor names with the dummies of a kind counted."""
    kinds = [name.split(":")[0] for name in factor_names]
    styles = [name.split(":")[1] for name in factor_names if name.startswith("style:")]
    return ["market", f"{kinds.count('country')} countries", f"{kinds.count('sector')} sectors", *styles]


def _places(crowd: Crowd) -> dict[ModelId, int]:
    return {crowd.model_ids[each.name]: column for column, each in enumerate(crowd.roster)}


def _from_quanta(recorded: int | None) -> float:
    return float("nan") if recorded is None else recorded / QUANTUM


def _for_plots(amount: Amount) -> float:
    """Whole units as a float: for pictures and ratios, never for money."""
    return float(amount.base / 10**amount.unit.scale)
