import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crowdalpha.client import DataRequestError, NamedRound, write_named_predictions
from crowdalpha.release.errors import PredictionFileError
from crowdalpha.release.example import ExampleModel
from crowdalpha.release.named import NamedData, build_named_live
from tests.fixtures.releases import published, small_market

FEATURES = tuple(f"realfeature_{place:02d}" for place in range(3))


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> list[NamedRound]:
    folder = tmp_path_factory.mktemp("rounds")
    data = NamedData(small_market(), features=FEATURES)
    example = ExampleModel(data.columns, (1.0, -1.0, 0.5))
    for number in (1, 2):
        build_named_live(data, era=50 + number, round_number=number, out=folder / str(number), example=example)
    return [NamedRound(folder / "1"), NamedRound(folder / "2")]


def test_a_round_opens_with_names_universe_and_example(live: list[NamedRound]) -> None:
    assert live[0].number == 1
    assert live[0].frame["numerai_ticker"].to_list() == list(live[0].universe.live_ids)
    assert live[0].example.columns == ["numerai_ticker", "signal"]


def test_a_file_by_ticker_is_checked_with_its_report(live: list[NamedRound]) -> None:
    tickers = live[0].frame["ticker"]
    content = write_named_predictions([*tickers[1:], "NOBODY"], np.linspace(0, 1, len(tickers)), column="ticker")
    checked = live[0].check(content, min_assets=20)

    assert checked.problem is None
    assert (checked.coverage.matched, dict(checked.coverage.dropped)) == (len(tickers) - 1, {"unknown": 1})
    assert live[0].check(content, min_assets=29, min_overlap=1.0).problem is not None


def test_change_is_measured_against_the_rounds_before(live: list[NamedRound]) -> None:
    first = write_named_predictions(live[0].frame["numerai_ticker"], np.linspace(0, 1, live[0].frame.height))
    same = live[1].frame.join(pl.read_parquet(io.BytesIO(first)), on="numerai_ticker")
    second = write_named_predictions(same["numerai_ticker"], same["signal"])
    turned = write_named_predictions(same["numerai_ticker"], 1 - same["signal"])

    assert live[1].change(second, [(live[0], first)], max_churn=0.15).within_limits
    assert not live[1].change(turned, [(live[0], first)], max_churn=0.15).within_limits
    assert not live[1].change(second, [], max_churn=0.15).within_limits


def test_a_folder_of_another_kind_is_refused(tmp_path: Path) -> None:
    published(tmp_path / "v1")

    with pytest.raises(DataRequestError, match="no folder of a named round"):
        NamedRound(tmp_path / "v1")


def test_a_repeated_name_is_not_written() -> None:
    with pytest.raises(PredictionFileError, match="repeats an id"):
        write_named_predictions(["A", "A"], [0.1, 0.2])
