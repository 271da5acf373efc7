"""Scores of frames are the reference's, era by era, in the caller's kind of frame; bad input is refused by name."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numerai_tools import scoring as peer

from crowdalpha.errors import InputError
from crowdalpha.scoring import (
    DuplicateError,
    IdMismatchError,
    NonFiniteError,
    OverlapError,
    RangeError,
    ShapeError,
    frames,
)

N_IDS, ERAS, FEATURES = 40, ("9", "10", "11"), ["f1", "f2", "f3"]
MODELS = ["a", "b"]
Make = Callable[[pd.DataFrame], Any]
Score = Callable[[pd.DataFrame], Any]


def polars_of(frame: pd.DataFrame) -> pl.DataFrame:
    return pl.DataFrame(frame.astype(object).where(frame.notna(), None).to_dict("list"))


BOTH = pytest.mark.parametrize("make", [pd.DataFrame, polars_of], ids=["pandas", "polars"])


def long_frame(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    n_rows = N_IDS * len(ERAS)
    frame = pd.DataFrame({"era": np.repeat(ERAS, N_IDS), "id": [f"n{row:04d}" for row in range(n_rows)]})
    frame[MODELS] = rng.normal(size=(n_rows, 2)).round(1)
    frame[["meta_model", "benchmark"]] = rng.normal(size=(n_rows, 2))
    frame["target"] = rng.choice([0.0, 0.25, 0.5, 0.75, 1.0], size=n_rows)
    frame[FEATURES] = rng.integers(0, 5, size=(n_rows, 3))
    frame["sample_weights"] = rng.uniform(0.1, 1.0, size=n_rows)
    return frame


def part(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    return frame[["era", "id", *names]]


def of_reference(frame: pd.DataFrame, score: Score) -> np.ndarray[Any, Any]:
    """Score era by era with the reference, eras as numbers."""
    return np.array([score(frame[frame["era"] == era].set_index("id").sort_index()) for era in ERAS])


def table(scores: Any) -> np.ndarray[Any, Any]:  # noqa: ANN401  # a frame of either library
    return np.column_stack([np.asarray(scores[name]) for name in MODELS])


SCORES: dict[str, tuple[Callable[..., Any], Score]] = {
    "corr": (frames.corr, lambda era: peer.numerai_corr(era[MODELS], era["target"])),
    "corr of the extremes": (
        lambda *sides, **named: frames.corr(*sides, **named, top_bottom=9),
        lambda era: peer.numerai_corr(era[MODELS], era["target"], top_bottom=9),
    ),
    "corr of returns": (
        lambda *sides, **named: frames.corr(*sides, **named, power_target=False),
        lambda era: peer.numerai_corr(era[MODELS], era["target"], target_pow15=False),
    ),
    "pearson": (frames.pearson, lambda era: [peer.pearson_correlation(era["target"], era[name]) for name in MODELS]),
    "spearman": (frames.spearman, lambda era: [peer.spearman_correlation(era["target"], era[name]) for name in MODELS]),
    "mmc": (frames.mmc, lambda era: peer.correlation_contribution(era[MODELS], era["meta_model"], era["target"])),
    "mmc of the extremes": (
        lambda *sides, **named: frames.mmc(*sides, **named, top_bottom=9),
        lambda era: peer.correlation_contribution(era[MODELS], era["meta_model"], era["target"], top_bottom=9),
    ),
    "bmc": (frames.bmc, lambda era: peer.correlation_contribution(era[MODELS], era["benchmark"], era["target"])),
    "fnc": (
        lambda frame, **named: frames.fnc(frame, FEATURES, **named),
        lambda era: peer.feature_neutral_corr(era[MODELS], era[FEATURES], era["target"]),
    ),
    "alpha": (
        lambda frame, **named: frames.alpha(frame, FEATURES, **named),
        lambda era: peer.alpha(era[MODELS], era[FEATURES], era["sample_weights"], era["target"]),
    ),
    "cwmm": (
        frames.cwmm,
        lambda era: [
            np.corrcoef(peer.power(peer.gaussian(peer.tie_kept_rank(era[[name]])), 1.5)[name], era["meta_model"])[0, 1]
            for name in MODELS
        ],
    ),
}


@pytest.mark.parametrize(("score", "reference"), SCORES.values(), ids=SCORES.keys())
@BOTH
def test_scores_of_a_long_frame_are_the_references(make: Make, score: Callable[..., Any], reference: Score) -> None:
    frame = long_frame()
    shuffled = make(frame.sample(frac=1, random_state=3).reset_index(drop=True))

    scores = score(shuffled, models=MODELS)

    assert type(scores) is type(shuffled)
    assert list(scores.columns) == ["era", *MODELS]
    assert list(scores["era"]) == list(ERAS)
    np.testing.assert_allclose(table(scores), of_reference(frame, reference), atol=1e-9)


@BOTH
def test_sides_in_frames_of_their_own_give_the_same(make: Make) -> None:
    frame, models = long_frame(), make(part(long_frame(), *MODELS))
    other = frame.sample(frac=1, random_state=5)
    truth, features = make(part(other, "target", "f1")), make(part(other, *FEATURES))
    long = make(frame)

    def same(left: Any, right: Any) -> None:  # noqa: ANN401  # frames of either library
        np.testing.assert_allclose(table(left), table(right), atol=1e-12)

    same(frames.corr(models, truth), frames.corr(long, models=MODELS))
    same(frames.mmc(models, make(part(other, "meta_model")), truth), frames.mmc(long, models=MODELS))
    same(frames.mmc(models, long, long), frames.mmc(long, models=MODELS))
    same(frames.fnc(models, features, truth), frames.fnc(long, FEATURES, models=MODELS))
    same(frames.fnc(models, long, truth, columns=["f1"]), frames.fnc(long, ["f1"], models=MODELS))


@BOTH
def test_columns_that_are_named_as_sides_are_no_models(make: Make) -> None:
    frame = part(long_frame(), "a", "meta_model", "target")

    assert list(frames.mmc(make(frame)).columns) == ["era", "a"]


@BOTH
def test_the_target_is_centred_on_all_ids_that_have_one(make: Make) -> None:
    frame = long_frame()
    predicted = frame.drop(index=[1, 2, 50])

    scores = frames.corr(make(part(predicted, *MODELS)), make(part(frame, "target")))

    expected = [
        peer.numerai_corr(
            predicted[predicted["era"] == era].set_index("id")[MODELS],
            frame[frame["era"] == era].set_index("id")["target"],
        )
        for era in ERAS
    ]
    np.testing.assert_allclose(table(scores), expected, atol=1e-9)


@pytest.mark.parametrize("score", [score for score, _ in SCORES.values()], ids=SCORES.keys())
@BOTH
def test_gaps_of_one_model_touch_no_other(make: Make, score: Callable[..., Any]) -> None:
    frame = long_frame()
    spoilt = frame.copy()
    spoilt.loc[[3, 5], "b"] = np.nan  # era 9: a few
    spoilt.loc[40:79, "b"] = np.nan  # era 10: all
    spoilt.loc[80:100, "b"] = np.nan  # era 11: too many

    scores = score(make(spoilt), models=MODELS)

    np.testing.assert_allclose(scores["a"], score(make(frame), models=MODELS)["a"], rtol=1e-12)
    assert np.isnan(np.asarray(scores["b"])).tolist() == [False, True, True]


@BOTH
def test_a_model_with_gaps_is_scored_on_its_own_rows(make: Make) -> None:
    frame = long_frame()
    spoilt = frame.assign(b=frame["b"].where(~frame.index.isin([3, 5])))
    first = spoilt[spoilt["era"] == "9"].set_index("id")

    corr, mmc = (score(make(spoilt), models=MODELS) for score in (frames.corr, frames.mmc))

    expected = peer.numerai_corr(first[["b"]], first["target"])["b"]
    assert corr["b"][0] == pytest.approx(expected, abs=1e-9)
    expected = peer.correlation_contribution(first[["b"]], first["meta_model"], first["target"])["b"]
    assert mmc["b"][0] == pytest.approx(expected, abs=1e-9)
    both = peer.numerai_corr(first[MODELS], first["target"])["a"]
    assert corr["a"][0] != pytest.approx(both, abs=1e-6)  # there, the gaps of one model change the other


@BOTH
def test_a_constant_model_has_no_score_and_touches_no_other(make: Make) -> None:
    frame = long_frame()
    flat = frame.assign(b=0.5)

    fnc = frames.fnc(make(flat), FEATURES, models=MODELS)

    assert list(fnc["a"]) == list(frames.fnc(make(frame), FEATURES, models=MODELS)["a"])
    assert np.isnan(np.asarray(fnc["b"])).all()
    assert list(frames.mmc(make(flat), models="b")["b"]) == [0.0] * 3


@BOTH
def test_eras_without_any_target_and_tied_targets_give_no_score(make: Make) -> None:
    frame = long_frame()
    frame.loc[frame["era"] == "10", "target"] = np.nan
    frame.loc[frame["era"] == "11", "target"] = 0.5

    for scores in (frames.corr(make(frame), models="a"), frames.fnc(make(frame), FEATURES, models="a")):
        assert np.isnan(np.asarray(scores["a"])).tolist() == [False, True, True]
    assert frames.corr(make(part(frame, "a")), make(part(frame, "target").loc[:39]))["a"][
        1:
    ].to_list() == pytest.approx([np.nan, np.nan], nan_ok=True)


def test_an_index_of_keys_counts_as_columns() -> None:
    frame = long_frame()
    expected = frames.corr(frame, models=MODELS)

    for keyed in (frame.set_index("id"), frame.set_index(["era", "id"])):
        pd.testing.assert_frame_equal(frames.corr(keyed, models=MODELS), expected)
        pd.testing.assert_frame_equal(frames.corr(keyed.drop(columns="target"), frame, models=MODELS), expected)


@BOTH
def test_a_frame_without_eras_is_one_era(make: Make) -> None:
    frame = long_frame().loc[:39].drop(columns="era")

    scores = frames.corr(make(frame), models=MODELS)

    assert list(scores.columns) == MODELS
    expected = peer.numerai_corr(frame.set_index("id")[MODELS], frame.set_index("id")["target"])
    np.testing.assert_allclose(table(scores), [expected], atol=1e-9)


@BOTH
def test_one_asset_has_no_correlation(make: Make) -> None:
    scores = frames.corr(make(pd.DataFrame({"id": ["x"], "a": [0.1], "target": [0.5]})))

    assert np.isnan(scores["a"][0])


BAD: dict[str, tuple[Callable[[pd.DataFrame], tuple[Any, ...]], type[InputError], str]] = {
    "an id twice": (
        lambda f: (pd.concat([f, f.iloc[[4]]], ignore_index=True),),
        DuplicateError,
        "predictions: era '9', id 'n0004' occurs more than once; keep one row of it",
    ),
    "an id of the truth twice": (
        lambda f: (part(f, "a"), pd.concat([f, f.iloc[[90]]], ignore_index=True)),
        DuplicateError,
        "truth: era '11', id 'n0090' occurs more than once",
    ),
    "no id": (lambda f: (f.drop(columns="id"),), IdMismatchError, "predictions has no column 'id'; name it so"),
    "a null id": (
        lambda f: (f.assign(id=f["id"].where(f.index != 6)),),
        IdMismatchError,
        "predictions, column 'id' is null in row 6; drop",
    ),
    "a null era": (
        lambda f: (f.assign(era=f["era"].where(f.index != 6)),),
        IdMismatchError,
        "predictions, column 'era' is null in the row of id 'n0006'",
    ),
    "ids that are fractions": (
        lambda f: (f.assign(id=np.arange(len(f)) / 2),),
        IdMismatchError,
        "predictions, column 'id' holds Float64; ids are text or integers",
    ),
    "eras that are fractions": (
        lambda f: (f.assign(era=f["era"].astype(float)),),
        IdMismatchError,
        "predictions, column 'era' holds Float64; eras are integers, text or dates",
    ),
    "text for numbers": (
        lambda f: (f.assign(a="high"),),
        ShapeError,
        "predictions, column 'a' holds String; it must hold numbers",
    ),
    "no target": (lambda f: (f, part(f, "f1")), ShapeError, "truth has no column 'target'; it has"),
    "no rows": (lambda f: (f.iloc[:0],), ShapeError, "predictions has no rows"),
    "other ids": (
        lambda f: (f, f.assign(id="x" + f["id"])),
        OverlapError,
        "predictions and truth have no row in common; check era and id",
    ),
    "too few ids of the truth": (
        lambda f: (f, f.drop(index=range(10, 25))),
        OverlapError,
        (
            "predictions: only 25 of 40 rows have a value in target, at least 80% must; "
            "the first without is era '9', id 'n0010'"
        ),
    ),
    "too few known targets": (
        lambda f: (f, f.assign(target=f["target"].where(f.index < 90))),
        OverlapError,
        (
            "predictions: only 10 of 40 rows have a value in target, at least 80% must; "
            "the first without is era '11', id 'n0090'"
        ),
    ),
    "too few predictions": (
        lambda f: (f.drop(index=range(45, 60)), f),
        OverlapError,
        (
            "target: only 25 of 40 rows have a partner in predictions, at least 80% must; "
            "the first without is era '10', id 'n0045'"
        ),
    ),
    "gaps in every model": (
        lambda f: (f.assign(a=f["a"].where(f.index > 9)),),
        OverlapError,
        (
            "predictions, column 'a': only 30 of 40 rows have a value in target, at least 80% must; "
            "the first without is era '9', id 'n0000'"
        ),
    ),
    "eras of two kinds": (
        lambda f: (f, f.assign(era=f["era"].astype(int))),
        IdMismatchError,
        "column 'era' holds String in predictions and Int64 in truth; cast one",
    ),
    "eras on one side": (
        lambda f: (f, f.drop(columns="era")),
        IdMismatchError,
        "predictions has a column 'era' and truth has none; give both",
    ),
    "infinite target": (
        lambda f: (f, f.assign(target=f["target"].where(f.index != 45, np.inf))),
        NonFiniteError,
        "truth, column 'target': era '10', id 'n0045' is infinite",
    ),
}


@pytest.mark.parametrize(("spoil", "error", "message"), BAD.values(), ids=BAD.keys())
@BOTH
def test_bad_input_is_refused_by_name(
    make: Make, spoil: Callable[[pd.DataFrame], tuple[Any, ...]], error: type[InputError], message: str
) -> None:
    sides = [make(side) for side in spoil(long_frame())]

    with pytest.raises(error) as refusal:
        frames.corr(*sides, models="a")

    assert message in str(refusal.value)


@BOTH
def test_values_that_a_score_cannot_use_are_named(make: Make) -> None:
    frame = long_frame()
    infinite = frame.assign(a=frame["a"].where(frame.index != 45, np.inf))
    holed = frame.astype({"f2": float}).assign(f2=lambda f: f["f2"].where(f.index != 47))

    with pytest.raises(NonFiniteError, match="predictions, column 'a': era '10', id 'n0045' is infinite"):
        frames.pearson(make(infinite), models=MODELS)
    with pytest.raises(NonFiniteError, match="features, column 'f2': era '10', id 'n0047' is not finite; fill it"):
        frames.fnc(make(holed), FEATURES, models=MODELS)
    with pytest.raises(RangeError, match="era '9': top_bottom is 21"):
        frames.corr(make(frame), models=MODELS, top_bottom=21)
    with pytest.raises(RangeError, match="max_filtered_ratio"):
        frames.corr(make(frame), models=MODELS, max_filtered_ratio=1.5)


@BOTH
def test_the_least_overlap_is_an_option(make: Make) -> None:
    frame = long_frame()
    short = make(part(frame.drop(index=range(10, 25)), "target"))

    scores = frames.corr(make(part(frame, *MODELS)), short, max_filtered_ratio=0.4)

    kept = frame[frame["era"] == "9"].drop(index=range(10, 25)).set_index("id")
    expected = peer.numerai_corr(kept[MODELS], kept["target"])
    np.testing.assert_allclose(table(scores)[0], expected, atol=1e-9)


def test_frames_of_other_kinds_are_refused() -> None:
    frame = long_frame()

    with pytest.raises(ShapeError, match="predictions and truth are frames of two libraries; convert one"):
        frames.corr(frame, polars_of(frame), models="a")
    with pytest.raises(ShapeError, match="predictions is a LazyFrame; give a DataFrame"):
        frames.corr(polars_of(frame).lazy(), models="a")  # type: ignore[type-var]  # what is refused


@BOTH
def test_columns_that_make_no_sense_are_refused(make: Make) -> None:
    frame = long_frame()

    with pytest.raises(ShapeError, match="predictions has no column of values"):
        frames.corr(make(part(frame, "target")))
    with pytest.raises(ShapeError, match="models has a name twice"):
        frames.corr(make(frame), models=["a", "a"])
    with pytest.raises(ShapeError, match="meta_model has 2 columns beside the keys; give one, or call one"):
        frames.mmc(make(frame), make(part(frame, "f1", "f2")), models="a")
    with pytest.raises(ShapeError, match="predictions has a column name twice"):
        frames.corr(pd.DataFrame([[1, 0.1, 0.2]], columns=["id", "a", "a"]))
    with pytest.raises(ShapeError, match="predictions has the column name 0, not text"):
        frames.corr(pd.DataFrame([[1, 0.1]], columns=["id", 0]))
    with pytest.raises(ShapeError, match="features has no columns"):
        frames.fnc(make(frame), [], models="a")


@BOTH
def test_a_target_without_any_value_is_refused(make: Make) -> None:
    frame = long_frame()
    truth = part(frame, "target").assign(target=lambda f: f["target"].where(f.index == len(f) - 1), era=frame["era"])
    truth.loc[len(truth) - 1, "era"] = "12"

    with pytest.raises(OverlapError, match="target has no value for any era of the predictions"):
        frames.corr(make(frame), make(truth), models="a")


@BOTH
def test_a_refusal_of_one_era_without_a_name_names_none(make: Make) -> None:
    frame = long_frame().loc[:39].drop(columns="era")

    with pytest.raises(RangeError, match=r"^top_bottom is 21"):
        frames.corr(make(frame), models="a", top_bottom=21)
