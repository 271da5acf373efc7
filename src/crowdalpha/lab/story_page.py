"""One model through a season as one HTML page: no script, nothing fetched; every element is built as one."""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from crowdalpha import __version__
from crowdalpha.client.diagnostics.charts import Line, line_chart
from crowdalpha.ensemble import Estimate
from crowdalpha.lab.backtest_page import STYLE
from crowdalpha.lab.story import ModelRound, ModelStory
from crowdalpha.lab.summary import in_words

__all__ = ["figure_rows", "render_story", "round_rows", "trade_rows"]

FloatArray = NDArray[np.float64]

SCORE, WEIGHT, PAID, BAND, FALL = "#1f5fa8", "#2a9d8f", "#8e6bbf", "#b9cfe6", "#c2185b"
TILES = """
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(210px, 1fr)); gap: .6rem; margin: 1.2rem 0; }
.tile { border: 1px solid #e3e8ed; border-radius: 8px; padding: .7rem .9rem; }
.tile b { display: block; font-size: 1.3rem; font-variant-numeric: tabular-nums; }
.tile span { display: block; color: #5b6875; font-size: .82rem; }
.chain td { white-space: normal; text-align: left; vertical-align: top; }
.chain td:last-child { color: #5b6875; font-size: .8rem; }
.chain th { text-align: left; }
"""
ROUND_HEAD = (
    "round", "CORR", "MMC", "at risk", "weight", "TC", "± error", "MPC", "attributed", "book", "paid - burned",
)  # fmt: skip
TRADE_HEAD = ("asset of the round", "through this model", "whole book", "realised", "earned")


def render_story(story: ModelStory) -> str:
    """Render a model's season as one HTML page.

    Parameters
    ----------
    story : ModelStory
        From `model_story`.

    Returns
    -------
    str
        The page, charts as SVG inside it.
    """
    page = ET.Element("html", {"lang": "en"})
    head = ET.SubElement(page, "head")
    ET.SubElement(head, "meta", {"charset": "utf-8"})
    ET.SubElement(head, "meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"})
    _text(head, "title", f"{story.name}: from score to profit")
    _text(head, "style", STYLE + TILES)
    body = ET.SubElement(page, "body")
    _text(body, "h1", story.name)
    first, last = story.rounds[0].number, story.rounds[-1].number
    _text(
        body,
        "p",
        f"Model {story.model_id}, {len(story.rounds)} rounds, {first} to {last}: what it predicted, what weight that "
        "got, what was traded for it and what that earned. Ranges are 95 % intervals of a block bootstrap over rounds.",
        "soft",
    )
    _tiles(body, story)
    _chain(body, story)
    _charts(body, story.rounds)
    _text(body, "h2", "Every round")
    _table(body, ROUND_HEAD, round_rows(story))
    _text(body, "p", f"crowdalpha {__version__}. The page holds all that it shows and asks no network.", "soft")
    return "<!doctype html>\n" + ET.tostring(page, encoding="unicode", method="html") + "\n"


def figure_rows(story: ModelStory) -> list[tuple[str, str, str]]:
    """List the means with their intervals: label, value, interval."""
    rows = (
        ("mean CORR", story.corr, "+.4f"),
        ("mean MMC", story.mmc, "+.4f"),
        ("mean True Contribution", story.tc, "+.2%"),
        ("mean MPC", story.mpc, "+.4f"),
        ("attributed a round", story.attributed, "+.3%"),
    )
    return [(label, in_words(each.value, spec), _interval(each, spec)) for label, each, spec in rows]


def round_rows(story: ModelStory) -> list[tuple[str, ...]]:
    """List every round in words, as `ROUND_HEAD` names the columns."""
    return [
        (
            str(each.number),
            in_words(each.corr, "+.4f"),
            in_words(each.mmc, "+.4f"),
            f"{each.at_risk:,.1f}",
            f"{each.weight:.2%}",
            in_words(each.tc, "+.2%"),
            in_words(each.tc_error, ".2%"),
            in_words(each.mpc, "+.4f"),
            in_words(each.attributed, "+.4%"),
            in_words(each.book_return, "+.2%"),
            f"{each.delta:+,.2f}",
        )
        for each in story.rounds
    ]


def trade_rows(story: ModelStory) -> list[tuple[str, ...]]:
    """List the largest positions in words, as `TRADE_HEAD` names the columns."""
    return [
        (each.asset, f"{each.part:+.4%}", f"{each.whole:+.3%}", f"{each.realised:+.1%}", f"{each.earned:+.5%}")
        for each in story.trades
    ]


def _tiles(body: ET.Element, story: ModelStory) -> None:
    tiles = ET.SubElement(body, "div", {"class": "tiles"})
    weight = float(np.mean([each.weight for each in story.rounds]))
    through = float(np.nansum([each.attributed for each in story.rounds]))
    paid = sum(each.delta for each in story.rounds)
    rest = (
        ("mean weight in the meta model", f"{weight:.2%}", ""),
        ("attributed, all rounds together", f"{through:+.3%}", "of the reference books, before costs"),
        ("paid minus burned", f"{paid:+,.1f}", ""),
    )
    for label, value, below in (*figure_rows(story), *rest):
        tile = ET.SubElement(tiles, "div", {"class": "tile"})
        _text(tile, "b", value)
        _text(tile, "span", label)
        if below:
            _text(tile, "span", below)


def _chain(body: ET.Element, story: ModelStory) -> None:
    _text(body, "h2", f"From score to profit in round {story.shown}")
    rows = [(each.what, each.figure, each.source) for each in story.chain]
    _table(body, ("step", "figure", "where it is written"), rows, kind="chain")
    _text(body, "h2", f"Largest of the {story.n_trades} positions that came through it")
    _text(
        body,
        "p",
        "Fractions of the reference book's value, split by its derivative: the parts of all models, with what limits "
        "and costs hold fixed, add up to the whole. Earned is part times realised return, before costs.",
        "soft",
    )
    _table(body, TRADE_HEAD, trade_rows(story))


def _charts(body: ET.Element, rounds: tuple[ModelRound, ...]) -> None:
    labels = [str(each.number) for each in rounds]
    _chart(
        body, "Scores, added up", labels, [_summed(rounds, "corr", "CORR", SCORE), _summed(rounds, "mmc", "MMC", PAID)]
    )
    _chart(body, "Weight in the meta model, %", labels, [Line("weight", 100 * _series(rounds, "weight"), WEIGHT, 2.4)])
    tc, error = 100 * _series(rounds, "tc"), 200 * _series(rounds, "tc_error")
    lines = [
        Line("True Contribution", np.nan_to_num(tc), SCORE, 2.0),
        Line("plus two standard errors of the draws", np.nan_to_num(tc + error), BAND),
        Line("minus two", np.nan_to_num(tc - error), BAND),
    ]
    _chart(body, "True Contribution of each round, % a unit of weight", labels, lines)
    earned = 100 * np.cumsum(np.nan_to_num(_series(rounds, "attributed")))
    _chart(body, "Attributed, added up, % of the book", labels, [Line("attributed", earned, FALL, 2.4)], fill=True)


def _summed(rounds: tuple[ModelRound, ...], field: str, name: str, colour: str) -> Line:
    return Line(name, np.cumsum(np.nan_to_num(_series(rounds, field))), colour, 2.0)


def _series(rounds: tuple[ModelRound, ...], field: str) -> FloatArray:
    return np.array([getattr(each, field) for each in rounds], dtype=np.float64)


def _chart(body: ET.Element, title: str, labels: Sequence[str], lines: Sequence[Line], *, fill: bool = False) -> None:
    _text(body, "h2", title)
    body.append(line_chart(labels, lines, fill=fill))


def _table(body: ET.Element, head: Sequence[str], rows: Sequence[Sequence[str]], *, kind: str = "") -> None:
    table = ET.SubElement(ET.SubElement(body, "div", {"class": "scroll"}), "table", {"class": kind} if kind else {})
    for tag, cells in [("th", head), *(("td", row) for row in rows)]:
        line = ET.SubElement(table, "tr")
        for cell in cells:
            _text(line, tag, cell)


def _interval(each: Estimate, spec: str) -> str:
    return f"{in_words(each.low, spec)} to {in_words(each.high, spec)}"


def _text(parent: ET.Element, tag: str, text: str, kind: str = "") -> None:
    ET.SubElement(parent, tag, {"class": kind} if kind else {}).text = text
