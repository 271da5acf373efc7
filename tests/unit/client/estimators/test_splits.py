import numpy as np
import pytest
import sklearn
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold, cross_val_score

from crowdalpha.client.errors import DataRequestError
from crowdalpha.client.estimators import PurgedEraKFold
from tests.unit.client.estimators.conftest import Rows


def test_every_era_is_held_out_once_and_its_neighbours_are_not_trained_on(rows: Rows) -> None:
    folds = list(PurgedEraKFold(4, purge=2).split(rows.X, groups=rows.eras))

    held_out = [np.unique(rows.eras[test]).tolist() for _, test in folds]
    trained_on = [np.unique(rows.eras[train]).tolist() for train, _ in folds]
    assert held_out == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]
    assert trained_on == [[5, 6, 7, 8, 9, 10, 11], [0, 8, 9, 10, 11], [0, 1, 2, 3, 11], [0, 1, 2, 3, 4, 5, 6]]


def test_without_a_purge_it_is_a_split_by_groups() -> None:
    eras = np.repeat([3, 1, 2, 4], 2)
    mine = {tuple(np.sort(test)) for _, test in PurgedEraKFold(4).split(None, groups=eras)}
    theirs = {tuple(test) for _, test in GroupKFold(4).split(np.zeros((8, 1)), groups=eras)}

    assert mine == theirs


def test_it_asks_for_groups_where_routing_is_on(rows: Rows) -> None:
    plain = cross_val_score(Ridge(), rows.X, rows.y, cv=PurgedEraKFold(3), groups=rows.eras)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = cross_val_score(Ridge(), rows.X, rows.y, cv=PurgedEraKFold(3), params={"groups": rows.eras})

    assert np.array_equal(plain, routed)


def test_the_number_of_blocks_is_known_beforehand() -> None:
    assert PurgedEraKFold(7).get_n_splits() == 7


@pytest.mark.parametrize(
    ("splitter", "groups", "message"),
    [
        (PurgedEraKFold(2), None, "give them as groups"),
        (PurgedEraKFold(1), [1, 2], "n_splits is 1"),
        (PurgedEraKFold(3), [1, 2], "with 2 eras it must be between 2 and 2"),
        (PurgedEraKFold(2, purge=-1), [1, 2], "purge is -1"),
        (PurgedEraKFold(2, purge=1), [1, 2], "leaves nothing to train on when eras 0 to 0"),
    ],
)
def test_what_cannot_be_split_is_refused(splitter: PurgedEraKFold, groups: list[int] | None, message: str) -> None:
    with pytest.raises(DataRequestError, match=message):
        list(splitter.split(None, groups=groups))
