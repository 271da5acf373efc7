"""What two frames have in common, and what is lost when they are matched."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from crowdalpha.scoring import OverlapError, ShapeError, frames

IDS = list("abcdefgh")


def sides() -> tuple[pd.DataFrame, pd.DataFrame]:
    mine = pd.DataFrame({"era": ["9"] * 8 + ["10"] * 8 + ["11"], "id": [*IDS, *IDS, "a"], "a": np.arange(17.0)})
    other = pd.DataFrame({"era": ["10"] * 8 + ["9"] * 8 + ["8"], "id": [*IDS, *IDS[::-1], "a"], "target": 0.5})
    return mine.drop(index=2), other.drop(index=[1]).assign(target=lambda f: f["target"].where(f.index != 9))


@pytest.mark.parametrize("library", [pd, pl])
def test_the_report_counts_and_names_what_is_lost(library: Any) -> None:  # noqa: ANN401  # a module
    mine, other = (library.DataFrame(side.astype(object).where(side.notna(), None).to_dict("list")) for side in sides())

    found = frames.align(mine, other)

    assert type(found.frame) is type(mine)
    assert list(found.frame.columns) == ["era", "id", "a", "target"]
    assert list(found.frame["id"]) == [*"abdefgh", *"acdefgh"]
    assert list(found.frame["era"]) == ["9"] * 7 + ["10"] * 7
    assert list(found.eras["era"]) == ["9", "10", "11"]
    assert [list(found.eras[name]) for name in ("kept", "dropped_left", "dropped_right")] == [
        [7, 7, 0],
        [0, 1, 1],
        [1, 0, 0],
    ]
    assert found.kept == 14
    assert found.dropped_left.tolist() == [8, 15]
    assert found.first_left == "era '10', id 'b'"
    assert found.dropped_right.tolist() == [12]
    assert found.first_right == "era '9', id 'c'"
    assert found.gaps == {"target": 1}


def test_gaps_of_any_type_are_counted() -> None:
    mine = pl.DataFrame({"id": [1, 2, 3], "a": [None, 0.5, float("nan")]})
    other = pl.DataFrame({"id": [3, 2, 1], "f": [None, 1, 2], "note": ["x", None, None]})

    assert frames.align(mine, other).gaps == {"a": 2, "f": 1, "note": 2}


def test_nothing_lost_is_told_as_such() -> None:
    mine = sides()[0].set_index(["era", "id"])

    found = frames.align(mine, mine[[]])

    assert found.frame.equals(mine)
    assert (found.kept, found.first_left, found.first_right, found.gaps) == (16, "", "", {})


def test_too_much_lost_is_refused_unless_it_is_asked_for() -> None:
    mine, other = sides()
    short = other.drop(index=range(8, 12))

    with pytest.raises(OverlapError, match=r"predictions: only 3 of 7 rows .* first without is era '9', id 'e'"):
        frames.align(mine, short)
    assert frames.align(mine, short, max_filtered_ratio=1).first_left == "era '9', id 'e'"
    with pytest.raises(OverlapError, match=r"other: only 5 of 8 rows have a partner .* era '9', id 'e'"):
        frames.align(mine.drop(index=[3, 4]), other)


def test_a_column_on_both_sides_is_refused() -> None:
    mine, _ = sides()

    with pytest.raises(ShapeError, match="column 'a' is in both frames"):
        frames.align(mine, mine)
