from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.client.diagnostics import Drawdown, Luck, ModelReport
from crowdalpha.client.diagnostics.words import drawdown_words, luck_words, score_table, shown, title
from tests.fixtures.diagnoses import figures, scores


def test_numbers_that_are_not_finite_are_not_shown() -> None:
    assert [shown(value, "+.2f") for value in (0.125, np.nan, np.inf)] == ["+0.12", "n/a", "n/a"]


def test_the_title_names_files_and_eras(report: ModelReport) -> None:
    assert title(report) == (
        "mine.parquet on 16 eras of v1, 0036 to 0051; target target, features small, benchmark "
        "validation_example_preds.parquet"
    )


def test_the_table_has_the_scores_that_are_defined(report: ModelReport) -> None:
    made = replace(report, figures=figures(corr=scores(0.03, spread=0.02)))
    head, rows = score_table(made, ("mean", "std", "Sharpe", "hits"))

    assert head == ["", "mean", "std", "Sharpe", "hits"]
    assert [row[0] for row in rows] == ["CORR", "FNC", "BMC"]
    assert rows[0] == ["CORR", "+0.0300", "0.0200", "+1.50", "100%"]


def test_an_interval_has_two_ends(report: ModelReport) -> None:
    head, rows = score_table(report)

    assert len(head) == len(rows[0]) == 10
    assert all(" to " in row[head.index("95 % interval")] for row in rows)


@pytest.mark.parametrize(
    ("drawdown", "words"),
    [
        (None, "n/a"),
        (Drawdown(0.0, "0001", "0001", None), "none"),
        (Drawdown(0.25, "0003", "0007", None), "0.250, after era 0003 down to 0007, not made up for yet"),
        (Drawdown(0.25, "0003", "0007", "0009"), "0.250, after era 0003 down to 0007, made up for by era 0009"),
    ],
)
def test_a_drawdown_in_words(drawdown: Drawdown | None, words: str) -> None:
    assert drawdown_words(drawdown) == words


@pytest.mark.parametrize(
    ("luck", "words"),
    [
        (Luck(1, 0.9512, 0.9512), "above 0 with a probability of 95.1%"),
        (
            Luck(20, 0.9999, 0.4),
            "above 0 with a probability of more than 99.9%; above the best of 20 models that know nothing with 40.0%",
        ),
        (Luck(1, np.nan, np.nan), "above 0 with a probability of n/a"),
    ],
)
def test_luck_in_words(luck: Luck, words: str) -> None:
    assert luck_words(luck) == words
