"""One random history, the values of a feature on its last day, and the same data as pandas frames."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.features import FEATURES
from crowdalpha.market.features.view import View
from crowdalpha.market.history import history_of
from crowdalpha.market.prices import PricePanel, read_panel
from tests.fixtures.panels import random_panel

ValueOf = Callable[[str], FloatArray]


@pytest.fixture(scope="package")
def panel() -> PricePanel:
    files = random_panel(n_assets=9, n_days=300, seed=11)
    return read_panel(files.prices, files.universe)


@pytest.fixture(scope="package")
def view(panel: PricePanel) -> View:
    return View(history_of(panel), ends=np.array([299]))


@pytest.fixture(scope="package")
def value_of(view: View) -> ValueOf:
    by_name = {feature.name: feature for feature in FEATURES}

    def compute(name: str) -> FloatArray:
        values: FloatArray = by_name[name].compute(view)[0]
        return values

    return compute


@pytest.fixture(scope="package")
def change(panel: PricePanel) -> pd.DataFrame:
    return pd.DataFrame(np.log(panel.close)).diff()


@pytest.fixture(scope="package")
def value(panel: PricePanel) -> pd.DataFrame:
    return pd.DataFrame(np.log(panel.dollar_volume))
