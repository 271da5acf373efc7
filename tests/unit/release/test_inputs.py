from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from crowdalpha.market import Market
from crowdalpha.release import ExampleModel, ReleaseKey
from crowdalpha.release.inputs import dataset_inputs, live_inputs
from tests.fixtures.releases import KEY, small_market, with_other_future

MARKET = small_market(n_features=3)
MODEL = ExampleModel(("f",), (1.0,))


def dataset_digest(market: Market, *, key: ReleaseKey = KEY, version: str = "v1", published: int = 55) -> str:
    return dataset_inputs(market, key=key, version=version, published=published, target="neutral_20")


def live_digest(market: Market, *, round_number: int = 1, meta_model: pl.DataFrame | None = None) -> str:
    return live_inputs(market, key=KEY, era=5, round_number=round_number, example=MODEL, meta_model=meta_model)


def test_nothing_after_publication_counts() -> None:
    assert dataset_digest(with_other_future(MARKET, era=55)) == dataset_digest(MARKET)


def test_version_key_and_era_count() -> None:
    digests = {
        dataset_digest(MARKET),
        dataset_digest(MARKET, version="v2"),
        dataset_digest(MARKET, published=54),
        dataset_digest(MARKET, key=ReleaseKey(b"another secret of 32 bytes......")),
    }

    assert len(digests) == 4


@pytest.mark.parametrize("name", ["features", "universe"])
def test_one_changed_cell_before_publication_counts(name: str) -> None:
    changed = getattr(MARKET, name).copy()
    changed[55, 3] = 1 - np.nan_to_num(changed[55, 3])

    assert dataset_digest(replace(MARKET, **{name: changed})) != dataset_digest(MARKET)


def test_a_changed_known_target_counts() -> None:
    targets = {name: values.copy() for name, values in MARKET.targets.items()}
    targets["sector_60"][42] += 1.0

    assert dataset_digest(replace(MARKET, targets=targets)) != dataset_digest(MARKET)


def test_round_and_past_meta_models_count() -> None:
    past = pl.DataFrame({"era": ["0001"], "id": ["a"], "meta_model": [0.5]})

    assert len({live_digest(MARKET), live_digest(MARKET, round_number=2), live_digest(MARKET, meta_model=past)}) == 3
