"""The report of a season: one page that opens from disk and asks no network."""

from decimal import Decimal

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from crowdalpha import __version__
from crowdalpha.ensemble import Estimate
from crowdalpha.lab import charts
from crowdalpha.lab.participants import ARCHETYPES
from crowdalpha.lab.record import SeasonRecord
from crowdalpha.lab.summary import archetype_results, in_words
from crowdalpha.lab.trading import REFERENCE_BOOK
from crowdalpha.lab.worth import SeasonIntervals, known_mean, season_intervals
from crowdalpha.scoring import summarize

__all__ = ["render_report"]


def render_report(record: SeasonRecord) -> str:
    """Render `report.html`.

    Parameters
    ----------
    record : SeasonRecord
        The season.

    Returns
    -------
    str
        A whole HTML page, charts as SVG inside it.
    """
    environment = Environment(
        loader=PackageLoader("crowdalpha.lab"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page = environment.get_template("report.html.j2")
    scores, results, intervals = record.scores, archetype_results(record), season_intervals(record)
    return page.render(
        version=__version__,
        rounds=len(scores.dates),
        first_day=str(scores.dates[0]),
        last_day=str(scores.dates[-1]),
        participants=len(scores.names),
        seed=record.config.seed,
        provenance=_provenance(record),
        tiles=_tiles(record),
        charts={
            # The charts are our own SVG; all other text is escaped by the template.
            name: Markup(svg)  # noqa: S704
            for name, svg in {
                "correlation": charts.correlation_chart(record),
                "contribution": charts.contribution_chart(record),
                "profit": charts.profit_chart(results),
                "book": charts.book_chart(record),
                "exposure": charts.exposure_chart(record),
                "stake": charts.stake_chart(record),
            }.items()
        },
        archetypes=[
            {
                "name": result.name.replace("_", " "),
                "colour": charts.COLOURS[result.name],
                "models": result.models,
                "corr": in_words(result.mean_corr, "+.4f"),
                "mmc": in_words(result.mean_mmc, "+.4f"),
                "profit": f"{result.profit_per_stake:+.1%}",
                "t": in_words(result.profit_t, "+.1f"),
                "what": ARCHETYPES[result.name],
            }
            for result in results
        ],
        method=record.config.meta_model.replace("_", " "),
        intervals=_interval_rows(intervals),
        worth=_worth_rows(intervals),
        draws=REFERENCE_BOOK.draws,
        leaderboard=_leaderboard(record),
        book_words=_book_words(record),
        money_words=_money_words(record),
        facts=list(record.data.facts.items()),
        findings=record.data.findings,
    )


def _provenance(record: SeasonRecord) -> str:
    if record.config.prices is None:
        return (
            "The market is synthetic: prices, volumes, names, sectors and countries were drawn from the seed, with a "
            "predictable part built in on purpose, generous beside real markets. The participants are programs. All "
            "that follows the prices is the real thing: released files, trained models, uploads, scores, ledger, "
            "optimiser."
        )
    return (
        f"The market is the operator's own panel, {record.config.prices.name}; rounds are played out of sample, after "
        "the dataset was published. The participants are programs and their stakes are points. What a price file "
        "leaves out (names that are gone, borrow fees, true spreads) flatters the portfolio: it is a test, not a track "
        "record."
    )


def _tiles(record: SeasonRecord) -> list[tuple[str, str]]:
    meta, book = summarize(record.scores.meta_corr), record.book.performance
    return [
        ("meta model, mean CORR", in_words(meta.mean, "+.4f")),
        ("meta model, CORR Sharpe a round", in_words(meta.sharpe, "+.2f")),
        ("portfolio, a year after costs", f"{book.annual_return:+.1%}"),
        ("portfolio, Sharpe a year", in_words(book.sharpe, "+.2f")),
        ("portfolio, largest drawdown", f"{book.max_drawdown:.1%}"),
        (f"{record.money.paid.unit.code} paid", f"{Decimal(str(record.money.paid)):,.0f}"),
        (f"{record.money.paid.unit.code} burned", f"{Decimal(str(record.money.burned)):,.0f}"),
    ]


def _interval_rows(found: SeasonIntervals) -> list[tuple[str, str, str]]:
    rows = (
        ("meta model, mean CORR a round", found.meta_corr, "+.4f"),
        ("meta model, Sharpe of CORR a round", found.meta_sharpe, "+.2f"),
        ("portfolio, a year after costs", found.book_return, "+.1%"),
        ("portfolio, Sharpe a year", found.book_sharpe, "+.2f"),
        ("reference book, a round before costs", found.reference_return, "+.2%"),
    )
    return [(label, in_words(each.value, spec), _interval(each, spec)) for label, each, spec in rows]


def _worth_rows(found: SeasonIntervals) -> list[dict[str, str]]:
    return [
        {
            "name": each.name.replace("_", " "),
            "colour": charts.COLOURS[each.name],
            "weight": f"{each.weight:.1%}",
            "mmc": in_words(each.mmc.value, "+.4f"),
            "mmc_interval": _interval(each.mmc, "+.4f"),
            "tc": in_words(each.tc.value, "+.2%"),
            "tc_interval": _interval(each.tc, "+.2%"),
            "mpc": in_words(each.mpc.value, "+.4f"),
            "mpc_interval": _interval(each.mpc, "+.4f"),
            "attributed": f"{each.attributed:+.2%}",
        }
        for each in found.archetypes
    ]


def _interval(each: Estimate, spec: str) -> str:
    return f"{in_words(each.low, spec)} to {in_words(each.high, spec)}"


def _leaderboard(record: SeasonRecord) -> list[dict[str, object]]:
    scores, money = record.scores, record.money
    meta = summarize(scores.meta_corr)
    rows: list[tuple[float, dict[str, object]]] = [
        (
            meta.mean,
            {
                "name": "meta model",
                "meta": True,
                "colour": "",
                "corr": in_words(meta.mean, "+.4f"),
                "sharpe": in_words(meta.sharpe, "+.2f"),
                **dict.fromkeys(("mmc", "fnc", "cwmm", "exposure", "stake", "delta"), ""),
            },
        )
    ]
    for column, name in enumerate(scores.names):
        corr = summarize(scores.corr[:, column])
        rows.append(
            (
                corr.mean,
                {
                    "name": name,
                    "meta": False,
                    "colour": charts.COLOURS[scores.archetypes[column]],
                    "corr": in_words(corr.mean, "+.4f"),
                    "sharpe": in_words(corr.sharpe, "+.2f"),
                    "mmc": in_words(known_mean(scores.mmc[:, column]), "+.4f"),
                    "fnc": in_words(known_mean(scores.fnc[:, column]), "+.4f"),
                    "cwmm": in_words(known_mean(scores.cwmm[:, column]), "+.3f"),
                    "exposure": in_words(known_mean(scores.max_exposure[:, column]), ".2f"),
                    "stake": f"{money.stakes[column]:,.0f}",
                    "delta": f"{money.delta[:, column].sum():+,.1f}",
                },
            )
        )
    return [row for _, row in sorted(rows, key=lambda pair: (np.isnan(pair[0]), -pair[0]))]


def _book_words(record: SeasonRecord) -> str:
    book = record.book
    earned = book.performance
    relaxed = ", ".join(f"{limit} {count} times" for limit, count in book.relaxed.items())
    return (
        f"The meta model, turned by a convex optimisation into a long/short book once a week ({book.solved} times) and "
        f"traded the next day with costs. A year at this pace: {earned.annual_return:+.1%} at "
        f"{earned.annual_volatility:.1%} volatility; {book.turnover.sum() / book.solved:.0%} of value traded a "
        f"rebalance, {book.cost.sum():.2%} of value paid in costs. "
        + (f"Limits that had to give way: {relaxed}." if relaxed else "No limit had to give way.")
    )


def _money_words(record: SeasonRecord) -> str:
    money = record.money
    unit = money.paid.unit.code
    return (
        f"Stakes compound: what a round pays is at risk in the next that closes. {money.paid} {unit} were paid and "
        f"{money.burned} burned in {money.transfers:,} double-entry transfers; all balances together are "
        f"{money.sum_of_balances}."
    )
