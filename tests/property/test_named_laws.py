"""Laws of named tournaments: names, files, scores."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdalpha.release.named import (
    Match,
    NamedUniverse,
    TickerIndex,
    examine_named,
    measure_change,
    orthonormal_exposures,
    read_named_predictions,
    submitted_era,
)
from crowdalpha.release.named.tickers import normal_name
from crowdalpha.rules.named import NamedExposures, score_named
from crowdalpha.scoring import neutralized_weights
from tests.fixtures.named import parquet_file, shares, wide_universe

UNIVERSE = wide_universe(40, n_factors=3)
INDEX = TickerIndex(UNIVERSE)
SHARES = shares()
SHARES_INDEX = TickerIndex(SHARES)
EXPOSURES = NamedExposures(UNIVERSE.neutralizers, UNIVERSE.sample_weights)
SEEDS = st.integers(0, 2**32 - 1)
BLANKS = st.sampled_from(["", " ", "  ", "\t"])


@given(st.text(max_size=80))
def test_a_normal_form_is_its_own_normal_form(text: str) -> None:
    assert normal_name(normal_name(text)) == normal_name(text)


@given(st.text(max_size=80), st.sampled_from(["numerai_ticker", "ticker", "bloomberg_ticker", "sedol"]))
def test_any_text_has_an_answer(text: str, column: str) -> None:
    match = SHARES_INDEX.find(text, column=column)

    assert (match.outcome == "unknown") is (match.ids == ())
    assert set(match.ids) <= set(SHARES.assets["numerai_ticker"])


@given(st.sampled_from(UNIVERSE.live_ids), BLANKS, BLANKS, st.booleans(), st.sampled_from([" ", "-", "/", ".", "_"]))
def test_a_live_id_is_found_however_it_is_written(name: str, left: str, right: str, low: bool, sign: str) -> None:  # noqa: FBT001  # drawn
    written = f"{left}{name.replace(' ', sign)}{right}"

    assert INDEX.find(written.lower() if low else written, column="numerai_ticker") == Match("live", (name,))


@given(SEEDS, st.integers(2, 40))
def test_the_order_of_the_rows_and_rows_of_strangers_change_nothing(seed: int, n_rows: int) -> None:
    rng = np.random.default_rng(seed)
    chosen, values = rng.permutation(40)[:n_rows], rng.permutation(n_rows) / n_rows
    names = [UNIVERSE.live_ids[place] for place in chosen]
    first = read_named_predictions(parquet_file(names, values), universe=UNIVERSE, min_assets=2)
    more = parquet_file([*names[::-1], "STRANGER"], np.append(values[::-1], 9.0))
    second = examine_named(more, universe=UNIVERSE, min_assets=2, index=INDEX)

    np.testing.assert_array_equal(first.values, second.values)
    assert first.coverage.matched + sum(first.coverage.dropped.values()) == first.coverage.rows
    assert second.problem is None


@settings(max_examples=25)
@given(SEEDS)
def test_a_universe_reads_back_from_any_order_of_rows(seed: int) -> None:
    frame = UNIVERSE.to_frame().sample(fraction=1.0, shuffle=True, seed=seed)

    assert NamedUniverse.of(frame).live_ids == UNIVERSE.live_ids


@given(SEEDS, st.integers(1, 8))
def test_neutral_weights_have_no_exposure(seed: int, n_factors: int) -> None:
    rng = np.random.default_rng(seed)
    exposures, weights = rng.normal(size=(30, n_factors)), rng.uniform(0.25, 4.0, 30)
    held = neutralized_weights(rng.normal(size=(30, 2)), orthonormal_exposures(exposures, weights), weights)

    assert np.abs(exposures.T @ held).max() < 1e-9


@given(SEEDS)
def test_change_does_not_depend_on_the_direction_of_time_or_the_scale(seed: int) -> None:
    one, other = np.random.default_rng(seed).uniform(size=(2, 40))
    there = measure_change(submitted_era(UNIVERSE, one), [submitted_era(UNIVERSE, other)])
    back = measure_change(submitted_era(UNIVERSE, other**3), [submitted_era(UNIVERSE, one)])

    assert abs(there.churn - back.churn) <= 1
    assert abs(there.turnover - back.turnover) <= 1
    assert 0 <= there.churn <= 2 * 10**9


@given(SEEDS)
def test_nothing_is_gained_by_handing_in_a_submission_and_its_opposite(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.uniform(size=40)
    scores = score_named(
        np.column_stack([values, 1 - values, rng.uniform(size=40)]),
        at_risk=np.array([10.0, 10.0, 10.0]),
        exposures=EXPOSURES,
        target=rng.normal(size=40),
    )

    assert abs((scores[0]["alpha"] or 0) + (scores[1]["alpha"] or 0)) <= 1
    assert abs((scores[0]["mpc"] or 0) + (scores[1]["mpc"] or 0)) <= 1
    assert abs(sum(row["mpc"] or 0 for row in scores)) <= 3
