from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crowdalpha.release import PredictionFileError
from crowdalpha.rules.rulebook import default_rulebook
from crowdalpha.server.blobs import BlobStore, open_blobs
from crowdalpha.server.rounds import frames

LIVE = ("a", "b", "c")


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return open_blobs(None, folder=tmp_path)


def test_submissions_become_columns_in_the_order_of_the_live_ids(blobs: BlobStore) -> None:
    hashes = [blobs.put(b"id,prediction\nc,3\na,1\nb,2\n"), blobs.put(b"id,prediction\na,9\nb,8\nc,7\nz,0\n")]
    values = frames.read_submissions(blobs, hashes, live_ids=LIVE, rulebook=default_rulebook())

    np.testing.assert_array_equal(values, [[1.0, 9.0], [2.0, 8.0], [3.0, 7.0]])


def test_ids_that_the_rulebook_lets_out_are_nan(blobs: BlobStore) -> None:
    rulebook = default_rulebook().model_copy(update={"min_overlap": "0.6"})
    values = frames.read_submissions(blobs, [blobs.put(b"id,prediction\nc,3\na,1\n")], live_ids=LIVE, rulebook=rulebook)

    np.testing.assert_array_equal(values[:, 0], [1.0, np.nan, 3.0])


def test_a_stored_file_that_is_no_submission_is_named_by_its_hash(blobs: BlobStore) -> None:
    sha256 = blobs.put(b"id,prediction\na,1\n")

    with pytest.raises(PredictionFileError, match=f"submission {sha256}"):
        frames.read_submissions(blobs, [sha256], live_ids=LIVE, rulebook=default_rulebook())


def test_a_matrix_comes_back_bit_for_bit(blobs: BlobStore) -> None:
    values = np.array([[0.1, np.nan], [-1e-300, 2.0]])

    np.testing.assert_array_equal(frames.read_matrix(blobs, frames.put_matrix(blobs, values)), values)


def test_a_meta_model_is_a_frame_of_ids_and_values(blobs: BlobStore) -> None:
    found = frames.read_frame(blobs, frames.put_meta_model(blobs, LIVE, np.array([0.5, -0.5, 0.0])))

    assert found.equals(pl.DataFrame({"id": list(LIVE), "meta_model": [0.5, -0.5, 0.0]}))
