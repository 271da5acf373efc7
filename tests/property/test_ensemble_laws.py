"""Laws of the meta model: what must not change it, and what must change it in one way only."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from crowdalpha.ensemble import (
    MetaModel,
    account_totals,
    cap_by_account,
    clean_predictions,
    effective_number,
    join_live,
    meta_model,
    rank_and_fill,
    regime_probabilities,
    stacked_weights,
    stake_vector,
    stake_weighted_average,
    stake_weighted_meta_model,
    top_share,
)
from crowdalpha.scoring.arrays import FloatArray

# A deadline would measure what else the machine does.
LAW = settings(deadline=None)

Game = tuple[FloatArray, FloatArray, list[int]]

STAKES = st.lists(st.integers(0, 10**9), min_size=1, max_size=8).map(lambda stakes: np.array(stakes, dtype=np.float64))


@st.composite
def games(draw: st.DrawFn) -> Game:
    """Predictions with many ties, whole stakes, and a permutation of the assets."""
    n_assets, n_models = draw(st.tuples(st.integers(1, 12), st.integers(1, 5)))
    values = draw(arrays(np.float64, (n_assets, n_models), elements=st.integers(-4, 4).map(float)))
    stakes = draw(arrays(np.float64, n_models, elements=st.integers(0, 1000).map(float)))
    return values, stakes, draw(st.permutations(range(n_assets)))


@LAW
@given(games())
def test_the_order_of_assets_does_not_matter(game: Game) -> None:
    values, stakes, order = game

    np.testing.assert_array_equal(meta_model(values[order], stakes), meta_model(values, stakes)[order])


@LAW
@given(games())
def test_the_order_of_models_does_not_matter(game: Game) -> None:
    values, stakes, _ = game

    np.testing.assert_allclose(meta_model(values[:, ::-1], stakes[::-1]), meta_model(values, stakes), atol=1e-12)


@LAW
@given(games(), st.floats(1e-6, 1e6))
def test_the_unit_of_stakes_does_not_matter(game: Game, unit: float) -> None:
    values, stakes, _ = game

    np.testing.assert_allclose(meta_model(values, stakes * unit), meta_model(values, stakes), atol=1e-12)


@LAW
@given(games())
def test_only_ranks_matter(game: Game) -> None:
    values, stakes, _ = game

    np.testing.assert_array_equal(meta_model(np.exp(values), stakes), meta_model(values, stakes))


@LAW
@given(games())
def test_turning_every_prediction_around_turns_the_meta_model_around(game: Game) -> None:
    values, stakes, _ = game

    np.testing.assert_allclose(meta_model(-values, stakes), -meta_model(values, stakes), atol=1e-12)


@LAW
@given(games(), st.integers(1, 9))
def test_splitting_a_stake_over_copies_gains_no_weight(game: Game, tenths: int) -> None:
    values, stakes, _ = game
    copied = np.column_stack([values, values[:, 0]])
    split = np.append(stakes, stakes[0] * tenths / 10)
    split[0] = stakes[0] - split[-1]

    np.testing.assert_allclose(meta_model(copied, split), meta_model(values, stakes), atol=1e-9)


@LAW
@given(games())
def test_a_prediction_and_its_opposite_with_the_same_stake_cancel(game: Game) -> None:
    values, stakes, _ = game
    both = np.column_stack([values, -values])

    result = meta_model(both, np.concatenate([stakes, stakes]))

    np.testing.assert_allclose(result, 0.0 if stakes.any() else np.nan, atol=1e-12)


@LAW
@given(games())
def test_the_meta_model_lies_between_the_signals_of_those_who_staked(game: Game) -> None:
    values, stakes, _ = game
    signals = clean_predictions(values)[:, stakes > 0]
    result = stake_weighted_meta_model(clean_predictions(values), stakes)

    low, high = signals.min(axis=1, initial=np.inf), signals.max(axis=1, initial=-np.inf)
    assert not stakes.any() or ((low - 1e-12 <= result) & (result <= high + 1e-12)).all()


@LAW
@given(games())
def test_ranking_and_filling_twice_changes_nothing(game: Game) -> None:
    values, _, _ = game
    once = rank_and_fill(values)

    np.testing.assert_array_equal(rank_and_fill(once), once)


@LAW
@given(st.lists(st.sampled_from("abcdef"), unique=True), st.lists(st.sampled_from("abcdefgh"), unique=True))
def test_joining_agrees_with_a_dictionary(live: list[str], submitted: list[str]) -> None:
    values = np.arange(len(submitted), dtype=np.float64)
    lookup = dict(zip(submitted, values.tolist(), strict=True))

    expected = [lookup.get(name, np.nan) for name in live]

    np.testing.assert_array_equal(join_live(live, submitted, values), np.array(expected, dtype=np.float64))


@LAW
@given(STAKES)
def test_effective_number_lies_between_one_and_the_number_of_stakes(stakes: FloatArray) -> None:
    count = effective_number(stakes)

    assert np.isnan(count) == (not stakes.any())
    assert np.isnan(count) or 1 - 1e-9 <= count <= np.count_nonzero(stakes) + 1e-9


@LAW
@given(STAKES, st.integers(0, 8))
def test_top_share_grows_with_every_stake_added(stakes: FloatArray, k: int) -> None:
    assert not stakes.any() or 0 <= top_share(stakes, k) <= top_share(stakes, k + 1) <= 1


@LAW
@given(STAKES, st.floats(-1, 1))
def test_the_average_of_one_score_is_that_score(stakes: FloatArray, score: float) -> None:
    average = stake_weighted_average(np.full(len(stakes), score), stakes)

    np.testing.assert_allclose(average, score if stakes.any() else np.nan, atol=1e-12)


@LAW
@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 9).map(float)))
def test_lining_stakes_up_loses_none(stakes: dict[str, float]) -> None:
    assert stake_vector("abcdef", stakes).sum() == sum(stakes.values())


@LAW
@given(STAKES, st.integers(1, 10), st.data())
def test_a_cap_is_kept_or_as_flat_as_can_be(stakes: FloatArray, tenths: int, data: st.DataObject) -> None:
    accounts = data.draw(st.lists(st.sampled_from("abcd"), min_size=len(stakes), max_size=len(stakes)))

    capped = cap_by_account(stakes, accounts, largest=tenths / 10)

    totals = np.array(list(account_totals(capped, accounts).values()))
    held = totals[totals > 0]
    assert (capped <= stakes).all()
    assert not held.size or held.max() <= tenths / 10 * held.sum() * (1 + 1e-9) or np.allclose(held, held[0])


@LAW
@given(games())
def test_without_an_account_is_the_meta_model_of_the_others(game: Game) -> None:
    values, stakes, _ = game
    accounts = ["asked" if column % 2 else f"other {column}" for column in range(len(stakes))]
    rest = [column for column, account in enumerate(accounts) if account != "asked"]
    meta = MetaModel(values, stakes, accounts)

    found = meta.without("asked") if len(rest) < len(stakes) else meta.values

    np.testing.assert_allclose(found, meta_model(values[:, rest], stakes[rest]), atol=1e-9)


@LAW
@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.floats(0.1, 2.0))
def test_stacked_weights_leave_nothing_to_gain(seed: int, n_models: int, ridge: float) -> None:
    rng = np.random.default_rng(seed)
    C = np.corrcoef(rng.standard_normal((n_models, 12)) + rng.standard_normal(12)).reshape(n_models, n_models)
    skill = 0.03 * rng.standard_normal(n_models)

    weights = stacked_weights(C, skill, ridge=ridge)

    # At the optimum a of the problem, of which the weights are shares, the slope is 0 where a > 0 and not below 0 else.
    if weights.any():
        H = C + ridge * np.eye(n_models)
        size = (skill @ weights) / (weights @ H @ weights)
        slope = H @ weights * size - skill
        np.testing.assert_allclose(slope[weights > 0], 0.0, atol=1e-9)
        assert (slope >= -1e-9).all()
    else:
        assert (skill <= 0).all()


@LAW
@given(st.integers(0, 2**32 - 1), st.integers(20, 60), st.integers(1, 19))
def test_regimes_know_nothing_of_the_future(seed: int, now: int, later: int) -> None:
    state = np.random.default_rng(seed).standard_normal((now + later, 2))

    whole = regime_probabilities(state, warm_up=10, refit=7)

    np.testing.assert_array_equal(whole[:now], regime_probabilities(state[:now], warm_up=10, refit=7))
