"""The pictures of the report: one function a chart, each returns SVG text to stand inside a page."""

import io
import re

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter
from numpy.typing import NDArray

from crowdalpha.lab.record import SeasonRecord
from crowdalpha.lab.summary import ArchetypeResult, in_words
from crowdalpha.lab.worth import known_mean

FloatArray = NDArray[np.float64]

__all__ = [
    "COLOURS",
    "book_chart",
    "contribution_chart",
    "correlation_chart",
    "exposure_chart",
    "profit_chart",
    "stake_chart",
]

COLOURS = {
    "ridge": "#4c9be8",
    "gradient_boosting": "#1f5fa8",
    "neural_net": "#2a9d8f",
    "nearest_neighbours": "#8ab17d",
    "no_skill": "#9aa0a6",
    "example_copy": "#f4a261",
    "noisy_copy": "#e9c46a",
    "meta_model_copy": "#d1495b",
    "pair": "#8e6bbf",
    "sealed_ridge": "#264653",
    "sealed_trees": "#0b7285",
}
"""One colour an archetype on every chart: cold for who models, warm for who copies, grey for chance."""

INK, FAINT, META = "#1c2733", "#d5dbe1", "#c2185b"
WIDE, SMALL = (9.2, 3.9), (5.6, 3.9)
STYLE = {
    "font.family": "sans-serif",
    "font.size": 9.5,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#eceff2",
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "svg.fonttype": "none",
    # A fixed salt: the ids inside the file, and so its bytes, are the same for the same season.
    "svg.hashsalt": "crowdalpha",
}


def correlation_chart(record: SeasonRecord) -> str:
    """Cumulative CORR of the meta model against every participant."""
    scores = record.scores
    figure, axes = _figure(WIDE)
    for column, kind in enumerate(scores.archetypes):
        path = np.nancumsum(scores.corr[:, column])
        axes.plot(scores.dates, path, color=COLOURS[kind], linewidth=0.9, alpha=0.7)
    axes.plot(scores.dates, np.nancumsum(scores.meta_corr), color=META, linewidth=3.0)
    _name_lines(axes, [*_present(scores.archetypes), ("meta model", META)])
    axes.set_ylabel("cumulative CORR")
    axes.axhline(0.0, color=INK, linewidth=0.6)
    return _svg(figure)


def contribution_chart(record: SeasonRecord) -> str:
    """Mean MMC against mean CORR, one point a participant, sized by stake."""
    scores = record.scores
    corr, mmc = ([known_mean(of_model) for of_model in values.T] for values in (scores.corr, scores.mmc))
    meta = known_mean(scores.meta_corr)
    size = 14 + 130 * record.money.stakes / record.money.stakes.max()
    figure, axes = _figure(SMALL)
    axes.axhline(0.0, color=INK, linewidth=0.6)
    axes.axvline(0.0, color=INK, linewidth=0.6)
    axes.scatter(corr, mmc, s=size, c=[COLOURS[kind] for kind in scores.archetypes], alpha=0.85, edgecolors="white")
    axes.axvline(meta, color=META, linewidth=1.4, linestyle="--")
    axes.annotate(
        "meta model",
        (meta, 1.0),
        xycoords=("data", "axes fraction"),
        color=META,
        ha="right",
        va="top",
        xytext=(-4, 0),
        textcoords="offset points",
    )
    axes.set_xlabel("mean CORR")
    axes.set_ylabel("mean MMC")
    return _svg(figure)


def profit_chart(results: list[ArchetypeResult]) -> str:
    """Profit of each archetype over the season, a share of what it staked."""
    figure, axes = _figure(SMALL)
    names = [result.name.replace("_", " ") for result in results]
    profit = [result.profit_per_stake for result in results]
    axes.barh(names, profit, color=[COLOURS[result.name] for result in results])
    axes.axvline(0.0, color=INK, linewidth=0.6)
    for place, result in enumerate(results):
        side = "left" if result.profit_per_stake >= 0 else "right"
        axes.annotate(
            f" t = {in_words(result.profit_t, '+.1f')} ",
            (result.profit_per_stake, place),
            va="center",
            ha=side,
            fontsize=8.5,
        )
    axes.invert_yaxis()
    axes.margins(x=0.22)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.grid(visible=False, axis="y")
    return _svg(figure)


def book_chart(record: SeasonRecord) -> str:
    """Value of the portfolio after costs, and its drawdown."""
    book = record.book
    figure, (above, below) = _stack(WIDE)
    above.plot(book.dates, book.value - 1.0, color=META, linewidth=1.8)
    above.axhline(0.0, color=INK, linewidth=0.6)
    above.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))
    above.set_ylabel("return after costs")
    drawdown = book.value / np.maximum.accumulate(book.value) - 1.0
    below.fill_between(book.dates, drawdown, 0.0, color=META, alpha=0.3, linewidth=0)
    below.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))
    below.set_ylabel("drawdown")
    return _svg(figure)


def exposure_chart(record: SeasonRecord) -> str:
    """Draw what the book was exposed to, day by day, and how large it was."""
    book = record.book
    figure, (above, below) = _stack(WIDE)
    lines = {"market": INK, "country": "#f4a261", "sector": "#2a9d8f", "style": "#8e6bbf"}
    for name, colour in lines.items():
        above.plot(book.dates, book.exposures[name], color=colour, linewidth=1.3)
    above.set_ylabel("net weight")
    above.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))
    labels = {"market": "market", "country": "largest country", "sector": "largest sector", "style": "largest style"}
    _name_lines(above, [(labels[name], colour) for name, colour in lines.items()])
    below.plot(book.dates, book.gross, color=INK, linewidth=1.3)
    below.set_ylabel("gross")
    below.set_ylim(bottom=0.0)
    return _svg(figure)


def stake_chart(record: SeasonRecord) -> str:
    """Stakes at risk at each close, stacked by archetype."""
    figure, axes = _figure(WIDE)
    kinds = np.array(record.scores.archetypes)
    present = _present(record.scores.archetypes)
    stacks = [record.money.at_risk[:, kinds == name].sum(axis=1) for name, _ in present]
    axes.stackplot(record.scores.dates, stacks, colors=[colour for _, colour in present], linewidth=0, alpha=0.9)
    _name_lines(axes, present)
    axes.set_ylabel(f"{record.money.paid.unit.code} at risk")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_ylim(bottom=0.0)
    return _svg(figure)


def _present(archetypes: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(name, colour) for name, colour in COLOURS.items() if name in archetypes]


def _name_lines(axes: Axes, names: list[tuple[str, str]]) -> None:
    """Put a legend beside the axes, one coloured line a name."""
    for name, colour in names:
        axes.plot([], [], color=colour, linewidth=3.0, label=name.replace("_", " "))
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8.5, handlelength=1.2, frameon=False)


def _figure(size: tuple[float, float]) -> tuple[Figure, Axes]:
    with style.context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        axes: Axes = figure.add_subplot()
    return figure, axes


def _stack(size: tuple[float, float]) -> tuple[Figure, tuple[Axes, Axes]]:
    with style.context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2.4, 1.0))
    return figure, (above, below)


def _svg(figure: Figure) -> str:
    with style.context(STYLE):
        FigureCanvasSVG(figure)
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    # Inside a page only the element counts: no XML head, no fixed size, so that it shrinks with the window.
    element = text[text.index("<svg") :]
    return re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", element, count=1))
