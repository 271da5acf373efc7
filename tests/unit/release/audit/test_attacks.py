from crowdalpha.release.audit import ATTACKS, FILES, TITLES, limits_of


def test_names_are_unique_and_each_has_a_title() -> None:
    names = [attack.name for attack in ATTACKS]

    assert len(set(names)) == len(names)
    assert set(TITLES) == {*names, FILES}


def test_limits_are_on_attacks_that_exist() -> None:
    limited = {name for policy in ("plain", "hardened", "strict") for name in limits_of(policy)}

    assert limited <= set(TITLES)
