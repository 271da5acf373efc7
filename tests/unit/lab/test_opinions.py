from pathlib import Path

import pytest

from crowdalpha.errors import InputError
from crowdalpha.lab.opinions import round_opinions
from crowdalpha.rules.ids import RoundNumber
from tests.fixtures.evidence import season_folder


def test_every_model_with_weight_is_in_one_cluster(tmp_path: Path) -> None:
    found = round_opinions(season_folder(tmp_path, n_rounds=3))

    # Stakes 10 to 15: (75 squared) / (100 + 121 + 144 + 169 + 196 + 225).
    assert (found.number, found.models) == (3, 6)
    assert found.effective == pytest.approx(5625 / 955)
    assert sorted(name for each in found.clusters for name in each.models) == ["0", "1", "2", "3", "4", "5"]
    assert sum(each.weight for each in found.clusters) == pytest.approx(1.0)
    assert sum(each.variance for each in found.clusters) == pytest.approx(1.0)
    assert found.clusters[0].weight == max(each.weight for each in found.clusters)


def test_a_cluster_is_worth_its_size_over_what_it_repeats(tmp_path: Path) -> None:
    largest = max(round_opinions(season_folder(tmp_path, n_rounds=1)).clusters, key=lambda each: len(each.models))
    size = len(largest.models)

    assert largest.independent == pytest.approx(size / (1 + (size - 1) * max(largest.correlation, 0.0)))


def test_a_round_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no round 7; it has 1 to 2"):
        round_opinions(season_folder(tmp_path, n_rounds=2), round_number=RoundNumber(7))
