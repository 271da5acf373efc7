"""Changes from one era to the next, over the ids that both have."""

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numerai_tools import signals as peer

from crowdalpha.scoring import NonFiniteError, OverlapError, RangeError, ShapeError, frames

IDS = [f"n{number}" for number in range(12)]


def long_frame() -> pd.DataFrame:
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({"era": np.repeat(["9", "10", "11"], len(IDS)), "id": IDS * 3})
    frame[["a", "b"]] = rng.normal(size=(len(frame), 2)).round(1)
    return frame.drop(index=[14, 20])


def of_reference(frame: pd.DataFrame, change: Any) -> list[float]:  # noqa: ANN401  # two series to a number
    eras = [frame[frame["era"] == era].set_index("id")["a"] for era in ("9", "10", "11")]
    return [np.nan, *(change(before, now) for before, now in pairwise(eras))]


@pytest.mark.parametrize("library", [pd, pl])
def test_churn_and_turnover_are_the_references(library: Any) -> None:  # noqa: ANN401  # a module
    frame = long_frame()
    given = library.DataFrame(frame.sample(frac=1, random_state=3).to_dict("list"))

    for change, reference in ((frames.churn, peer.churn), (frames.turnover, peer.turnover)):
        found = change(given)
        assert list(found["era"]) == ["9", "10", "11"]
        np.testing.assert_allclose(found["a"], of_reference(frame, reference), atol=1e-12)


def test_gaps_and_constants_are_the_affair_of_their_model() -> None:
    frame = long_frame()
    spoilt = frame.assign(b=frame["b"].where(frame["era"] != "10", 0.5)).assign(c=frame["a"].where(frame["id"] > "n2"))

    found = frames.churn(spoilt)

    assert found["a"].to_list() == pytest.approx(frames.churn(frame)["a"].to_list(), nan_ok=True)
    assert found[["b", "c"]].isna().all(axis=None)


def test_changes_without_ids_that_persist_are_refused() -> None:
    frame = long_frame()
    renamed = frame.assign(id=frame["era"] + frame["id"])

    with pytest.raises(OverlapError, match=r"only 0 of 12 rows have their id in era '10'.* era '9', id '9n0'"):
        frames.churn(renamed)
    with pytest.raises(OverlapError, match=r"only 9 of 12 rows have their id in era '10'.* era '9', id 'n1'"):
        frames.turnover(frame.drop(index=13))
    with pytest.raises(OverlapError, match=r"only 7 of 10 rows have their id in era '9'.* era '10', id 'n0'"):
        frames.turnover(frame.drop(index=[0, 1, 2, 3, 8]))
    with pytest.raises(ShapeError, match="there is no column 'era'"):
        frames.churn(frame.loc[:11].drop(columns="era"))
    with pytest.raises(NonFiniteError, match="column 'a': era '9', id 'n4' is infinite"):
        frames.churn(frame.assign(a=frame["a"].where(frame.index != 4, np.inf)))
    with pytest.raises(RangeError, match="max_filtered_ratio"):
        frames.churn(frame, max_filtered_ratio=-1)
