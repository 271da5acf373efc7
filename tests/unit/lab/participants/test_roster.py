from collections import Counter

import numpy as np
import pytest

from crowdalpha.lab.participants import ARCHETYPES, Contrarian, Participant, RandomLinear, draw_roster
from crowdalpha.lab.participants.roster import SEALED_KINDS


@pytest.fixture(scope="module")
def roster() -> list[Participant]:
    return draw_roster(40, np.random.default_rng(1))


def test_forty_participants_show_every_archetype(roster: list[Participant]) -> None:
    assert len(roster) == 40
    assert {each.archetype for each in roster} == set(ARCHETYPES) - set(SEALED_KINDS)


def test_there_is_one_pair_and_one_meta_model_copy(roster: list[Participant]) -> None:
    counts = Counter(each.archetype for each in roster)

    assert counts["pair"] == 2
    assert counts["meta_model_copy"] == 1


def test_the_halves_of_the_pair_share_seed_and_stake_but_no_account(roster: list[Participant]) -> None:
    first, second = roster[0], roster[1]

    assert (first.seed, first.stake) == (second.seed, second.stake)
    assert first.account != second.account
    assert second.strategy == Contrarian(RandomLinear())


def test_names_are_unique(roster: list[Participant]) -> None:
    assert len({each.name for each in roster}) == 40


def test_the_same_generator_state_draws_the_same_roster(roster: list[Participant]) -> None:
    assert draw_roster(40, np.random.default_rng(1)) == roster


def test_the_smallest_roster_has_one_honest_model() -> None:
    roster = draw_roster(4, np.random.default_rng(1))

    assert [each.archetype for each in roster] == ["pair", "pair", "meta_model_copy", "ridge"]


def test_those_on_the_sealed_track_take_the_last_places() -> None:
    plain, some = draw_roster(20, np.random.default_rng(1)), draw_roster(20, np.random.default_rng(1), sealed=3)

    assert [each.archetype for each in some[-3:]] == ["sealed_ridge", "sealed_trees", "sealed_ridge"]
    assert [each.name for each in some[:17]] == [each.name for each in plain[:17]]
