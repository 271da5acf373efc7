"""Frames of either library: aligned on era and id, scored as the reference scores, refused by name."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numerai_tools import scoring as peer

from crowdalpha.errors import InputError
from crowdalpha.scoring import DuplicateError, IdMismatchError, NonFiniteError, OverlapError, ShapeError, frames

N_IDS, ERAS = 40, ("9", "10", "11")
Make = Callable[[pd.DataFrame], Any]


def polars_of(frame: pd.DataFrame) -> pl.DataFrame:
    return pl.DataFrame(frame.astype(object).where(frame.notna(), None).to_dict("list"))


BOTH = pytest.mark.parametrize("make", [pd.DataFrame, polars_of], ids=["pandas", "polars"])


def long_frame(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    n_rows = N_IDS * len(ERAS)
    frame = pd.DataFrame({"era": np.repeat(ERAS, N_IDS), "id": [f"n{row:04d}" for row in range(n_rows)]})
    frame[["a", "b"]] = rng.normal(size=(n_rows, 2))
    frame["meta_model"] = rng.normal(size=n_rows)
    frame["target"] = rng.choice([0.0, 0.25, 0.5, 0.75, 1.0], size=n_rows)
    frame[["f1", "f2", "f3"]] = rng.integers(0, 5, size=(n_rows, 3))
    return frame


def part(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    return frame[["era", "id", *names]]


def by_era(frame: pd.DataFrame, score: Callable[[pd.DataFrame], Any]) -> np.ndarray[Any, Any]:
    """Score era by era with the reference, eras as numbers."""
    return np.array([score(frame[frame["era"] == era].set_index("id")) for era in ERAS])


def table(scores: Any) -> np.ndarray[Any, Any]:  # noqa: ANN401
    return np.column_stack([np.asarray(scores[name]) for name in ("a", "b")])


@BOTH
def test_corr_mmc_fnc_and_exposure_are_the_references_era_by_era(make: Make) -> None:
    frame = long_frame()
    models, truth = make(part(frame, "a", "b")), make(part(frame, "target"))
    features, meta = make(part(frame, "f1", "f2", "f3")), make(part(frame, "meta_model"))
    columns = ["f1", "f2", "f3"]

    scores = frames.corr(models, truth)

    assert list(scores["era"]) == list(ERAS)
    assert type(scores) is type(models)
    expected = by_era(frame, lambda era: peer.numerai_corr(era[["a", "b"]], era["target"]))
    np.testing.assert_allclose(table(scores), expected, atol=1e-9)
    expected = by_era(
        frame, lambda era: peer.correlation_contribution(era[["a", "b"]], era["meta_model"], era["target"])
    )
    np.testing.assert_allclose(table(frames.mmc(models, meta, truth)), expected, atol=1e-9)
    np.testing.assert_allclose(table(frames.bmc(models, meta, truth)), expected, atol=1e-9)
    expected = by_era(frame, lambda era: peer.feature_neutral_corr(era[["a", "b"]], era[columns], era["target"]))
    np.testing.assert_allclose(table(frames.fnc(models, features, truth)), expected, atol=1e-9)
    expected = by_era(frame, lambda era: [peer.max_feature_correlation(era[name], era[columns])[1] for name in "ab"])
    np.testing.assert_allclose(table(frames.max_feature_exposure(models, features)), expected, atol=1e-9)


@BOTH
def test_gaussianize_and_neutralize_keep_keys_and_are_the_references(make: Make) -> None:
    frame = long_frame()
    shuffled = part(frame, "a", "b").sample(frac=1, random_state=3).reset_index(drop=True)
    features = make(part(frame, "f1", "f2"))

    signals, neutral = frames.gaussianize(make(shuffled)), frames.neutralize(make(shuffled), features, proportion=0.5)

    assert list(signals["id"]) == list(neutral["id"]) == list(frame["id"])
    expected = by_era(frame, lambda era: peer.gaussian(peer.tie_kept_rank(era[["a", "b"]])))
    np.testing.assert_allclose(table(signals), expected.reshape(-1, 2), atol=1e-9)
    expected = by_era(frame, lambda era: peer.neutralize(era[["a", "b"]], era[["f1", "f2"]], 0.5))
    np.testing.assert_allclose(table(neutral), expected.reshape(-1, 2), atol=1e-9)


@BOTH
def test_gaps_of_one_model_change_no_other(make: Make) -> None:
    frame = long_frame()
    truth = make(part(frame, "target"))
    clean = frames.corr(make(part(frame, "a", "b")), truth)
    holed = frame.copy()
    holed.loc[[3, 50], "b"] = np.nan
    holed.loc[80:100, "b"] = np.nan

    scores = frames.corr(make(part(holed, "a", "b")), truth)

    assert list(scores["a"]) == list(clean["a"])
    known = holed[holed["b"].notna()]
    first = known[known["era"] == "9"].set_index("id")
    # the target keeps the mean of the whole era, of which the gap is a part
    assert scores["b"][0] == pytest.approx(
        peer.numerai_corr(first[["b"]], frame[frame["era"] == "9"].set_index("id")["target"]).iloc[0], abs=1e-9
    )
    assert np.isnan(scores["b"][2])


def test_an_index_of_ids_and_a_frame_without_eras_are_one_era() -> None:
    frame = long_frame().iloc[:N_IDS].set_index("id")

    scores = frames.corr(frame[["a", "b"]], frame[["target"]])

    expected = peer.numerai_corr(frame[["a", "b"]], frame["target"])
    assert scores.to_dict("list") == {"a": [pytest.approx(expected["a"])], "b": [pytest.approx(expected["b"])]}


def test_an_index_of_era_and_id_and_categories_are_read() -> None:
    frame = long_frame()
    keyed = frame.astype({"era": "category"}).set_index(["era", "id"])

    scores = frames.corr(keyed[["a", "b"]], keyed[["target"]])

    np.testing.assert_array_equal(table(scores), table(frames.corr(part(frame, "a", "b"), part(frame, "target"))))


def test_exposures_and_summary_have_a_row_a_feature_and_a_row_a_model() -> None:
    frame = long_frame()

    exposures = frames.feature_exposures(part(frame, "a", "b"), part(frame, "f1", "f2"))
    summary = frames.summarize(frames.corr(part(frame, "a", "b"), part(frame, "target")))

    expected = by_era(frame, lambda era: era["f2"].corr(era["a"])).mean()
    assert exposures.loc[exposures["feature"] == "f2", "a"].item() == pytest.approx(expected)
    scores = by_era(frame, lambda era: peer.numerai_corr(era[["a"]], era["target"])["a"])
    assert summary.loc[summary["model"] == "a", "mean"].item() == pytest.approx(scores.mean())
    assert summary.loc[summary["model"] == "a", "sharpe"].item() == pytest.approx(scores.mean() / scores.std())


def test_align_tells_what_is_dropped() -> None:
    frame = long_frame()

    found = frames.align(part(frame, "a"), part(frame, "target").drop(index=[5, 7]))

    assert found.kept == N_IDS * len(ERAS) - 2
    assert found.dropped_left.tolist() == [5, 7]
    assert found.dropped_right.tolist() == []


def with_value(frame: pd.DataFrame, row: int, column: str, value: object) -> pd.DataFrame:
    spoilt = frame.astype({column: object})
    spoilt[column] = pd.Series([value if at == row else one for at, one in enumerate(spoilt[column])], dtype=object)
    return spoilt.infer_objects()


BAD: list[tuple[str, Callable[[pd.DataFrame], tuple[pd.DataFrame, pd.DataFrame]], type[InputError], str]] = [
    (
        "an id twice",
        lambda f: (pd.concat([part(f, "a"), part(f, "a").iloc[[4]]], ignore_index=True), part(f, "target")),
        DuplicateError,
        "predictions: era '9', id 'n0004' occurs more than once",
    ),
    (
        "no id",
        lambda f: (f[["era", "a"]], part(f, "target")),
        IdMismatchError,
        "predictions has no column 'id'",
    ),
    (
        "a null id",
        lambda f: (with_value(part(f, "a"), 6, "id", None), part(f, "target")),
        IdMismatchError,
        "predictions, column 'id' is null in row 6",
    ),
    (
        "text for numbers",
        lambda f: (part(f, "a").assign(a="high"), part(f, "target")),
        ShapeError,
        "predictions, column 'a' holds String; it must hold numbers",
    ),
    ("no target", lambda f: (part(f, "a"), part(f, "f1")), ShapeError, "truth has no column 'target'"),
    ("empty", lambda f: (part(f, "a").iloc[:0], part(f, "target")), ShapeError, "predictions has no rows"),
    ("no model", lambda f: (part(f), part(f, "target")), ShapeError, "predictions has no column of values"),
    (
        "other ids",
        lambda f: (part(f, "a"), part(f, "target").assign(id=lambda g: "x" + g["id"])),
        OverlapError,
        "predictions and truth have no row in common",
    ),
    (
        "too few ids",
        lambda f: (part(f, "a"), part(f, "target").drop(index=range(10, 25))),
        OverlapError,
        "predictions: only 25 of 40 rows have a partner, at least 80% must; the first without is era '9', id 'n0010'",
    ),
    (
        "eras of two kinds",
        lambda f: (part(f, "a"), part(f, "target").assign(era=lambda g: g["era"].astype(int))),
        IdMismatchError,
        "column 'era' holds String in predictions and Int64 in truth",
    ),
    ("one side without eras", lambda f: (part(f, "a"), f[["id", "target"]]), IdMismatchError, "give both"),
    (
        "infinite target",
        lambda f: (part(f, "a"), with_value(part(f, "target"), 45, "target", np.inf)),
        NonFiniteError,
        "era '10': target has a NaN or an infinity",
    ),
]


@pytest.mark.parametrize(("spoil", "error", "message"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
@BOTH
def test_bad_input_is_refused_by_name(
    make: Make,
    spoil: Callable[[pd.DataFrame], tuple[pd.DataFrame, pd.DataFrame]],
    error: type[InputError],
    message: str,
) -> None:
    predictions, truth = spoil(long_frame())

    with pytest.raises(error) as refusal:
        frames.corr(make(predictions), make(truth))

    assert message in str(refusal.value)


@BOTH
def test_a_feature_without_a_value_is_refused_by_column_and_id(make: Make) -> None:
    frame = long_frame()
    features = part(frame, "f1", "f2").astype({"f2": float})
    features.loc[47, "f2"] = np.nan

    with pytest.raises(NonFiniteError, match="features, column 'f2': era '10', id 'n0047' is not finite"):
        frames.fnc(make(part(frame, "a")), make(features), make(part(frame, "target")))


def test_frames_of_two_libraries_are_refused() -> None:
    frame = long_frame()

    with pytest.raises(ShapeError, match="frames of two libraries"):
        frames.corr(part(frame, "a"), pl.DataFrame(part(frame, "target").to_dict("list")))


def test_rows_that_no_features_fit_are_named_where_every_row_must_stay() -> None:
    frame = long_frame()

    with pytest.raises(OverlapError, match="features lack 1 rows of predictions, first era '9', id 'n0002'"):
        frames.neutralize(part(frame, "a"), part(frame, "f1", "f2").drop(index=2))


def test_bytes_and_doubles_as_features_score_alike() -> None:
    frame = long_frame()
    models, truth = part(frame, "a"), part(frame, "target")
    features = part(frame, "f1", "f2", "f3")

    as_bytes = frames.fnc(models, features.astype(dict.fromkeys(["f1", "f2", "f3"], "int8")), truth)

    assert as_bytes["a"].to_list() == pytest.approx(frames.fnc(models, features, truth)["a"].to_list(), abs=1e-12)
