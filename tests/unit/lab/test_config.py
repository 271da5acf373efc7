from pathlib import Path

import pytest

from crowdalpha.lab.config import SeasonConfig, SeasonConfigError


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"rounds": 0}, "--rounds 0"),
        ({"participants": 3}, "--participants 3"),
        ({"seed": -1}, "--seed -1"),
        ({"stocks": 10}, "--stocks 10"),
    ],
)
def test_an_option_out_of_range_is_refused_by_name(options: dict[str, int], named: str) -> None:
    with pytest.raises(SeasonConfigError, match=named):
        SeasonConfig(**options)  # type: ignore[arg-type]


def test_a_missing_price_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SeasonConfigError, match=r"--prices .*none\.csv: there is no such file"):
        SeasonConfig(prices=tmp_path / "none.csv")


def test_a_universe_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "universe.csv").write_text("ticker\n")

    with pytest.raises(SeasonConfigError, match="give --prices"):
        SeasonConfig(universe=tmp_path / "universe.csv")


def test_fingerprint_follows_the_bytes_of_the_file_not_its_name(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("date,ticker,close\n")
    second.write_text("date,ticker,close\n")

    same = SeasonConfig(prices=first).fingerprint() == SeasonConfig(prices=second).fingerprint()
    second.write_text("date,ticker,close\n2020-01-01,A,1\n")

    assert same
    assert SeasonConfig(prices=first).fingerprint() != SeasonConfig(prices=second).fingerprint()


def test_fingerprint_follows_each_option() -> None:
    prints = {
        SeasonConfig().fingerprint(),
        SeasonConfig(seed=2).fingerprint(),
        SeasonConfig(rounds=6).fingerprint(),
        SeasonConfig(participants=12).fingerprint(),
        SeasonConfig(stocks=100).fingerprint(),
    }

    assert len(prints) == 5
