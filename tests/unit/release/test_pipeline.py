from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.release import POLICIES, Layout, Policy, bin_target
from crowdalpha.release.pipeline import obfuscate, obfuscate_targets
from tests.fixtures.releases import KEY, small_market

MARKET = small_market(n_assets=90)
ERA = 3
RAW = MARKET.feature_block(ERA, ERA + 1)[0][MARKET.universe[ERA]]
ROWS = RAW[: len(RAW) - len(RAW) % 3]


def layout(policy: Policy) -> Layout:
    return Layout.of(MARKET, KEY, policy=policy, version="v1")


@pytest.mark.parametrize("name", ["hardened", "strict"])
def test_hidden_rows_have_equal_bins_and_no_gaps(name: str) -> None:
    bins = obfuscate(ROWS, layout=layout(POLICIES[name]), key=KEY, era=ERA).bins
    counts = np.stack([(bins == each).sum(axis=0) for each in range(5)])

    assert np.isnan(ROWS).any()
    assert bins.min() == 0
    # a group of three is never cut
    assert (counts.max(axis=0) - counts.min(axis=0)).max() <= POLICIES[name].group_size


def test_a_missing_value_falls_into_the_middle() -> None:
    raw = ROWS.copy()
    raw[:5] = np.nan
    policy = Policy("own", fill_missing=True)
    bins = obfuscate(raw, layout=layout(policy), key=KEY, era=ERA).bins

    assert (bins[:5] == 2).all()


def test_each_row_of_a_strict_era_occurs_three_times() -> None:
    done = obfuscate(ROWS, layout=layout(POLICIES["strict"]), key=KEY, era=ERA)
    _, counts = np.unique(done.bins, axis=0, return_counts=True)

    assert counts.min() >= 3
    assert set(np.bincount(done.groups)) == {3}


def test_bins_of_residuals_know_nothing_of_the_public_signal() -> None:
    raw = np.random.default_rng(1).standard_normal((3000, 30)).astype(np.float32)
    raw[:, 1:] += 2 * raw[:, :1]
    bins = obfuscate(raw, layout=layout(Policy("own", residualise_on=("realfeature_00",))), key=KEY, era=ERA).bins
    correlations = np.corrcoef(raw[:, 0], bins.T)[0, 1:]

    assert bins.shape == (3000, 29)
    assert np.abs(correlations).max() < 4 / np.sqrt(3000)


def test_a_rotation_keeps_distances_and_no_feature() -> None:
    raw = np.random.default_rng(2).standard_normal((2000, 30)).astype(np.float32)
    found = layout(Policy("own", rotate_groups=10, fill_missing=True))
    bins = obfuscate(raw, layout=found, key=KEY, era=ERA).bins
    largest = np.abs(np.corrcoef(raw.T, bins.T)[:30, 30:]).max(axis=0)

    assert np.median(largest) < 0.75
    assert largest.min() > 0.25


def test_cells_are_randomised_at_the_rate_of_the_policy() -> None:
    clear = layout(Policy("own"))
    drawn = replace(clear, policy=replace(clear.policy, cell_epsilon=2.0))
    raw = np.random.default_rng(3).standard_normal((2000, 30)).astype(np.float32)
    same = obfuscate(raw, layout=clear, key=KEY, era=ERA).bins == obfuscate(raw, layout=drawn, key=KEY, era=ERA).bins

    assert same.mean() == pytest.approx(np.exp(2) / (np.exp(2) + 4), abs=4 * np.sqrt(0.23 / 60_000))


def test_noise_changes_bins_and_more_of_it_more() -> None:
    raw = np.random.default_rng(3).standard_normal((2000, 30)).astype(np.float32)
    bins = {
        sd: obfuscate(raw, layout=layout(Policy("own", noise_sd=sd, fill_missing=True)), key=KEY, era=ERA).bins
        for sd in (0.25, 1.0)
    }
    # names differ between the policies, so that columns are matched by their best partner
    best = {sd: np.abs(np.corrcoef(raw.T, each.T)[:30, 30:]).max(axis=0).mean() for sd, each in bins.items()}

    assert best[1.0] < best[0.25] - 0.1


def test_plain_targets_are_binned_and_nothing_else() -> None:
    values = np.random.default_rng(4).standard_normal((90, 2))
    values[5, 1] = np.nan
    done = obfuscate_targets(values, np.arange(90), layout=layout(POLICIES["plain"]), key=KEY, era=ERA)

    np.testing.assert_array_equal(done[:, 0], bin_target(values[:, 0]))
    np.testing.assert_array_equal(done[:, 1], bin_target(values[:, 1]))


def test_strict_targets_are_those_of_the_group() -> None:
    values, groups = np.random.default_rng(5).standard_normal((90, 1)), np.repeat(np.arange(30), 3)
    done = obfuscate_targets(values, groups, layout=layout(POLICIES["strict"]), key=KEY, era=ERA)
    expected = bin_target(values.reshape(30, 3).mean(axis=1))

    np.testing.assert_allclose(done[:, 0], np.repeat(expected, 3))


def test_a_row_draws_the_same_in_whatever_company_and_order_it_is_published() -> None:
    """Each row gets a neighbour just above it, which moves no row over an edge: (i + .5) / 300 and (i + .25) / 300."""
    found, values = layout(POLICIES["hardened"]), np.arange(300.0)
    everybody, ids = np.concatenate([values, values + 0.5]), [f"{row:04x}" for row in range(600)]
    order = np.random.default_rng(0).permutation(600)
    one, other = (
        obfuscate_targets(
            everybody[rows][:, None],
            np.arange(len(rows)),
            layout=found,
            key=KEY,
            era=ERA,
            ids=[ids[row] for row in rows],
        )[:, 0]
        for rows in (np.arange(300), order)
    )

    assert (one != bin_target(values)).any()
    np.testing.assert_array_equal(other[np.argsort(order)][:300], one)


def test_hardened_targets_are_randomised_and_the_same_each_time() -> None:
    values = np.random.default_rng(6).standard_normal((4000, 1))
    found = layout(POLICIES["hardened"])
    done = [obfuscate_targets(values, np.arange(4000), layout=found, key=KEY, era=ERA) for _ in range(2)]

    np.testing.assert_array_equal(done[0], done[1])
    assert (done[0][:, 0] == bin_target(values[:, 0])).mean() == pytest.approx(0.649, abs=4 * 0.0076)


def test_a_target_that_nobody_has_stays_unknown() -> None:
    values = np.column_stack([np.arange(90.0), np.full(90, np.nan)])
    done = obfuscate_targets(values, np.arange(90), layout=layout(POLICIES["hardened"]), key=KEY, era=ERA)

    assert not np.isnan(done[:, 0]).any()
    assert np.isnan(done[:, 1]).all()
