from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crowdalpha.client import Dataset, LiveRound
from crowdalpha.market import Market
from crowdalpha.release import ExampleModel, build_live
from tests.fixtures.releases import KEY, published, small_market

FIRST_ERA = 56


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred assets, 56 published eras, rounds 1 and 2; the second holds the meta model of the first."""
    root = tmp_path_factory.mktemp("participants")
    market = telling_market()
    published(root / "dataset", market=market)
    example = ExampleModel.from_bytes((root / "dataset" / "example_model.json").read_bytes())
    meta_model = None
    for number in (1, 2):
        out = root / f"round_{number}"
        build_live(
            market,
            key=KEY,
            era=FIRST_ERA + number - 1,
            round_number=number,
            out=out,
            example=example,
            meta_model=meta_model,
        )
        meta_model = published_meta_model(LiveRound(out))
    return root


def telling_market() -> Market:
    """Make targets that follow the first two features closely, so that any model that learns finds them."""
    market = small_market(n_assets=100)
    noise = np.random.default_rng(1).normal(0.0, 0.5, market.universe.shape)
    features = market.feature_block(0, market.n_eras)
    signal = np.nan_to_num(features[:, :, 0] - features[:, :, 1]) + noise
    return replace(
        market, targets={name: np.where(np.isnan(raw), np.nan, signal) for name, raw in market.targets.items()}
    )


def published_meta_model(live: LiveRound) -> pl.DataFrame:
    """Make a meta model that is the third feature and nothing else, in another order than the live file."""
    third = live.frame.select(pl.nth(5).cast(pl.Float64).fill_null(2.0)).to_series() / 4
    return pl.DataFrame({"era": live.era, "id": live.ids, "meta_model": third}).sort("id", descending=True)


@pytest.fixture(scope="session")
def dataset(folder: Path) -> Dataset:
    return Dataset(folder / "dataset")


@pytest.fixture(scope="session")
def rounds(folder: Path) -> list[LiveRound]:
    return [LiveRound(folder / f"round_{number}") for number in (1, 2)]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)
