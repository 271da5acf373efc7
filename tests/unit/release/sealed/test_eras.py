from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crowdalpha.release.sealed import (
    PROFILES,
    Kind,
    SealedError,
    SealedFileError,
    generate_keys,
    open_era,
    open_public,
    read_container,
    write_era,
    write_public,
)
from crowdalpha.release.sealed.eras import centred_bins
from tests.fixtures.sealed import SealedRound, frame_of, random_bins, sealed_round

FEATURES = ["feature_0", "feature_1"]


@pytest.fixture(scope="module")
def linear(tmp_path_factory: pytest.TempPathFactory) -> SealedRound:
    return sealed_round(tmp_path_factory.mktemp("eras"), "bfv-linear-1", random_bins(100, 2))


def again(linear: SealedRound, path: Path, frame: pl.DataFrame) -> Path:
    return write_era(linear.keys, frame, path, features=FEATURES, round_number=1, era="0001").path


def test_an_era_encrypted_twice_has_no_ciphertext_in_common(linear: SealedRound, tmp_path: Path) -> None:
    frame = frame_of(linear.bins)
    first, second = (read_container(again(linear, tmp_path / name, frame), Kind.ERA) for name in "ab")

    assert not {m.sha256 for m in first.manifest.members} & {m.sha256 for m in second.manifest.members}


def test_the_size_of_an_era_tells_nothing_of_its_values(linear: SealedRound, tmp_path: Path) -> None:
    zeros = again(linear, tmp_path / "zeros", frame_of(np.full((100, 2), 2)))
    cells = again(linear, tmp_path / "cells", frame_of(linear.bins))

    assert zeros.stat().st_size == pytest.approx(cells.stat().st_size, rel=0.005)


def test_the_public_bundle_holds_public_keys_alone(linear: SealedRound) -> None:
    assert read_container(linear.folder / "public.sealed", Kind.PUBLIC).names == ("params.bin", "relin.bin")


def test_a_public_bundle_that_names_other_keys_is_refused(tmp_path: Path) -> None:
    (_, one), (_, two) = generate_keys(PROFILES["bfv-linear-1"]), generate_keys(PROFILES["bfv-linear-1"])
    path = write_public(one, tmp_path / "public.sealed").path
    raw = path.read_bytes().replace(one.key_id.encode(), two.key_id.encode())
    path.write_bytes(raw)

    with pytest.raises(SealedFileError):
        open_public(path)


def test_an_era_of_another_key_is_refused(linear: SealedRound) -> None:
    _, other = generate_keys(PROFILES["bfv-linear-1"])

    with pytest.raises(SealedFileError, match="other keys"):
        open_era(linear.folder / "era.sealed", other)


def test_a_missing_bin_is_the_middle_one() -> None:
    frame = pl.DataFrame({"id": ["a", "b"], "x": pl.Series([None, 4], dtype=pl.Int8)})

    assert centred_bins(frame, ["x"]).tolist() == [[0], [2]]


@pytest.mark.parametrize("values", [[0, 5], [-1, 2], [0.5, 1.0]])
def test_anything_but_bins_is_refused(values: list[float]) -> None:
    with pytest.raises(SealedError, match="bins 0 to 4"):
        centred_bins(pl.DataFrame({"id": ["a", "b"], "x": values}), ["x"])


@pytest.mark.parametrize("columns", [["y"], []])
def test_a_missing_column_is_named(columns: list[str]) -> None:
    with pytest.raises(SealedError, match="the era has no"):
        centred_bins(pl.DataFrame({"id": ["a"], "x": [1]}), columns)
