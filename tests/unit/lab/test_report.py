from html.parser import HTMLParser
from pathlib import Path

import pytest

from crowdalpha.lab import SeasonConfig, charts
from crowdalpha.lab.report import render_report
from tests.fixtures.seasons import one_round, small_season, without_scores

VOID = {"br", "hr", "img", "link", "meta"}


class Page(HTMLParser):
    """Checks that tags nest, and collects the cells of the tables and the tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.cells: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "td":
            self.cells.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "td" in self.open:
            self.cells[-1] += data


@pytest.fixture
def no_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the charts out, where the words are looked at: they have their own tests, and take time."""
    for name in charts.__all__:
        if name.endswith("_chart"):
            monkeypatch.setattr(charts, name, lambda _: "<svg></svg>")


@pytest.fixture(scope="module")
def text() -> str:
    return render_report(small_season())


def test_it_is_one_page_with_six_charts_and_no_loose_tag(text: str) -> None:
    page = Page(text)

    assert page.open == []
    assert page.tags.count("svg") == 6
    assert page.tags.count("html") == 1


def test_the_same_record_gives_the_same_bytes(text: str) -> None:
    assert render_report(small_season()) == text


def test_the_leaderboard_is_sorted_with_the_meta_model_in_its_place(text: str) -> None:
    cells = Page(text).cells
    places = [cells.index(name) for name in ("meta model", "ann", "bob", "cyd")]

    # Mean CORR .03, .02, .015 and 0.
    assert places == sorted(places)
    assert cells[places[1] : places[1] + 9] == [
        *("ann", "+0.0200", "+1.41", "+0.0100", "+0.2500", "+0.250", "0.25", "100", "+20.0")
    ]


def test_words_about_money_and_book_hold_the_figures(text: str) -> None:
    assert "50.000000000 points were paid and 25.000000000 burned in 42 double-entry transfers" in text
    assert "Limits that had to give way: turnover 1 times." in text
    # Turnover of 0.8 in two rebalances.
    assert "40% of value traded a rebalance" in text


@pytest.mark.usefixtures("no_charts")
def test_names_from_outside_are_escaped() -> None:
    text = render_report(small_season(names=("<script>alert(1)</script>", "b&b", '"')))

    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert {"<script>alert(1)</script>", "b&b", "A & B on 2020-01-02"} <= set(Page(text).cells)


@pytest.mark.usefixtures("no_charts")
def test_models_without_scores_stand_at_the_end() -> None:
    cells = Page(render_report(without_scores(small_season()))).cells
    places = [cells.index(name) for name in ("bob", "cyd", "meta model", "ann")]

    assert places[:2] == sorted(places[:2])
    assert max(places[:2]) < min(places[2:])
    assert cells[places[3] + 1] == "n/a"
    assert not [cell for cell in cells if "nan" in cell.lower()]


@pytest.mark.usefixtures("no_charts")
def test_one_round_has_no_sharpe() -> None:
    text = render_report(one_round(small_season()))

    assert "inf" not in " ".join(Page(text).cells)
    assert "<b>n/a</b><span>meta model, CORR Sharpe a round</span>" in text


def test_a_made_up_market_is_called_so(text: str) -> None:
    assert "The market is synthetic" in text


@pytest.mark.usefixtures("no_charts")
def test_a_real_market_is_called_so_and_its_limits_are_told(tmp_path: Path) -> None:
    prices = tmp_path / "<mine>.csv"
    prices.touch()
    text = render_report(small_season(config=SeasonConfig(prices=prices, rounds=4)))

    assert "The market is the operator&#39;s own panel, &lt;mine&gt;.csv" in text
    assert "it is a test, not a track record" in text
    assert "synthetic" not in text
