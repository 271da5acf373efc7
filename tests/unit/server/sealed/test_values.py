import hashlib

import numpy as np

from crowdalpha.release import read_predictions
from crowdalpha.server.sealed.values import opened_file

IDS = ("a", "b", "c")
VALUES = np.array([5, -7, 2])


def test_an_opened_file_is_an_ordinary_one() -> None:
    read = read_predictions(opened_file(IDS, VALUES), live_ids=IDS)

    assert read.values.tolist() == [5.0, -7.0, 2.0]
    assert read.dropped_unknown == 1


def test_the_hash_of_opened_predictions_confirms_no_guess() -> None:
    first, second = (hashlib.sha256(opened_file(IDS, VALUES)).hexdigest() for _ in range(2))

    assert first != second
    assert opened_file(IDS, VALUES, salt="ab") == opened_file(IDS, VALUES, salt="ab")
