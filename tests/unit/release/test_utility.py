"""What a policy leaves of the signal, on a market made for it: a policy below its guard is pointless."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from crowdalpha.market import Market
from crowdalpha.release import POLICIES, Layout
from crowdalpha.release.example import centred_bins, centred_target, ridge
from crowdalpha.release.frames import stream_rows, target_values
from crowdalpha.release.selection import common_rows
from tests.fixtures.releases import KEY, small_market

TRAIN, LAST = 60, 100
TARGET = "neutral_20"


def market(seed: int) -> Market:
    """Targets that eight of forty features move a little, in 150 assets."""
    made = small_market(n_eras=LAST, n_assets=150, n_features=40, seed=seed)
    features = np.nan_to_num(made.feature_block(0, LAST))
    rng = np.random.default_rng([9, seed])
    signal = features[:, :, :8] @ rng.standard_normal(8)
    signal /= signal.std(axis=1, keepdims=True)
    values = np.where(made.universe, 0.3 * signal + rng.standard_normal(signal.shape), np.nan)
    return replace(made, targets=dict.fromkeys(made.targets, values))


def utility(made: Market, policy: str) -> float:
    """Mean rank correlation of a ridge with the true target in the later eras."""
    rows = common_rows(made.universe, POLICIES[policy])
    layout = Layout.of(made, KEY, policy=POLICIES[policy], version="v1", rows=rows)
    published = list(stream_rows(made, key=KEY, layout=layout, eras=range(LAST)))
    X = [centred_bins(each.bins) for each in published]
    truth = [made.targets[TARGET][each.era] for each in published]
    y = [
        centred_target(target_values(values[:, None], each, layout=layout, key=KEY)[:, 0])
        for values, each in zip(truth, published, strict=True)
    ]
    gram = sum((each.T @ each for each in X[:TRAIN]), start=np.zeros((40, 40)))
    moments = sum((each.T @ goal for each, goal in zip(X[:TRAIN], y[:TRAIN], strict=True)), start=np.zeros(40))
    slopes = ridge(gram, moments, rows=sum(map(len, y[:TRAIN])))
    scores = [spearmanr(X[era] @ slopes, truth[era][published[era].assets]).statistic for era in range(TRAIN, LAST)]
    return float(np.mean(scores))


@pytest.mark.parametrize(("policy", "guard"), [("hardened", 0.55), ("strict", 0.35)])
def test_a_policy_keeps_its_share_of_the_signal(policy: str, guard: float) -> None:
    shares = [utility(made, policy) / utility(made, "plain") for made in map(market, range(3))]

    assert guard <= np.mean(shares) <= 1.0
