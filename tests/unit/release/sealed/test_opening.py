from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crowdalpha.errors import InputError
from crowdalpha.release.sealed import (
    PROFILES,
    Container,
    Kind,
    LinearModel,
    Opened,
    OpenLimits,
    Rejected,
    SealedError,
    SealedFileError,
    check_submission,
    generate_keys,
    open_submission,
    read_container,
)
from crowdalpha.release.sealed.opener import decrypted, ranks, row_slots
from crowdalpha.release.sealed.ring import Ciphertext
from tests.fixtures.sealed import SealedRound, random_bins, sealed_round

MODEL = LinearModel({"feature_0": 3, "feature_1": -7})
FEATURE = "ct/0/0.bin"


@pytest.fixture(scope="module")
def linear(tmp_path_factory: pytest.TempPathFactory) -> SealedRound:
    return sealed_round(tmp_path_factory.mktemp("opening"), "bfv-linear-1", random_bins(50, 2))


@pytest.fixture
def mine(linear: SealedRound) -> Path:
    return linear.submitted(MODEL)


def rewritten(path: Path, raw: bytes | None = None, content: dict[str, object] | None = None) -> Path:
    """A whole container, hashes and all, with another ciphertext or another manifest in it."""
    whole = read_container(path, Kind.SUBMISSION)
    members = {name: raw or whole.bytes_of(name) for name in whole.names}
    Container.write(path, whole.content.model_copy(update=content or {}), members)
    return path


def noisy(linear: SealedRound) -> Ciphertext:
    """A result that was multiplied until nothing but noise is left."""
    result = linear.public.ring().load(linear.era.bytes_of(FEATURE))
    for _ in range(4):
        result = linear.public.ring().weighted_sum([(result, 516_000)]) or result
    return linear.public.ring().lowered(result, 0)


def feature(linear: SealedRound) -> Ciphertext:
    return linear.public.ring().lowered(linear.public.ring().load(linear.era.bytes_of(FEATURE)), 0)


def test_a_child_process_opens_a_submission(linear: SealedRound, mine: Path) -> None:
    opened = open_submission(linear.secret, mine, expected=linear.expected)

    assert isinstance(opened, Opened)
    assert (opened.predictions == (linear.bins - 2) @ [3, -7]).all()
    assert repr(opened) == "Opened(50 predictions)"


def test_a_child_process_answers_all_faults_alike(linear: SealedRound, mine: Path) -> None:
    limits = OpenLimits(memory_bytes=1 << 20)  # too little for anything

    assert open_submission(linear.secret, mine, expected=linear.expected, limits=limits) == Rejected()


def test_a_missing_secret_is_the_fault_of_the_operator(linear: SealedRound, mine: Path) -> None:
    with pytest.raises(InputError, match="wiped"):
        open_submission(linear.folder / "nowhere", mine, expected=linear.expected)


@pytest.mark.parametrize(
    "raw",
    [
        lambda _: b"x" * 900,
        lambda linear: linear.era.bytes_of(FEATURE),
        lambda linear: linear.public.ring().dump(linear.public.ring().squared(feature(linear))),
        lambda linear: linear.public.ring().dump(noisy(linear)),
        lambda _: generate_keys(PROFILES["bfv-trees-1"])[0].encrypt(np.arange(9)),
        lambda linear: linear.keys.ring.dump(
            linear.keys.ring.lowered(linear.keys.ring.load(linear.keys.encrypt(np.zeros(9))), 0)
        ),
    ],
    ids=["no ciphertext", "high modulus", "three polynomials", "noise", "other parameters", "constant"],
)
def test_a_ciphertext_that_is_no_result_is_refused(
    linear: SealedRound, mine: Path, raw: Callable[[SealedRound], bytes]
) -> None:
    with pytest.raises(SealedError):
        decrypted(linear.keys, rewritten(mine, raw(linear)), linear.expected)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"key_id": "0" * 64}, "other keys"),
        ({"profile": "bfv-trees-1"}, "other keys"),
        ({"round": 11}, "is for round 11, and this is round 12"),
        ({"era": "0011"}, "run the model again"),
        ({"n_rows": 49}, "other rows"),
        ({"row_order": "0" * 64}, "other rows"),
        ({"features": ("a",)}, "nothing else"),
    ],
)
def test_a_submission_from_elsewhere_is_refused(
    linear: SealedRound, mine: Path, content: dict[str, object], problem: str
) -> None:
    with pytest.raises(SealedFileError, match=problem):
        check_submission(rewritten(mine, content=content), linear.expected)


def test_more_ciphertexts_than_rows_need_are_refused(linear: SealedRound, mine: Path) -> None:
    whole = read_container(mine, Kind.SUBMISSION)
    Container.write(mine, whole.content, {"ct/0/0.bin": whole.bytes_of(FEATURE), "ct/0/1.bin": b"more"})

    with pytest.raises(SealedFileError, match="must hold 1 ciphertexts"):
        check_submission(mine, linear.expected)


def test_a_participant_has_nothing_that_decrypts(linear: SealedRound) -> None:
    ring = linear.public.ring()

    assert not [name for name in (*dir(ring), *dir(linear.public), *vars(ring)) if "crypt" in name or "secret" in name]


def test_rows_of_tiles_lie_in_columns_of_squares() -> None:
    slots = row_slots(PROFILES["ckks-train-1"], 8200)

    assert slots[[0, 1, 127, 128, 129, 8191, 8192]].tolist() == [0, 64, 127 * 64, 1, 65, 8191, 8192]


def test_ranks_keep_ties_that_noise_would_break() -> None:
    assert ranks(np.array([0.5, -3.0, 0.5 + 1e-9, 7.0])).tolist() == [1, 0, 1, 2]


@pytest.mark.parametrize("numbers", [[0.0, 0.0], [1.0, np.nan], [np.inf, 1.0]])
def test_numbers_that_do_not_rank_are_refused(numbers: list[float]) -> None:
    with pytest.raises(SealedError):
        ranks(np.array(numbers))


def test_expected_rows_decide_what_is_read(linear: SealedRound, mine: Path) -> None:
    fewer = replace(linear.expected, n_rows=10)

    with pytest.raises(SealedFileError):
        check_submission(mine, fewer)
