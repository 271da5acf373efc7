import pytest

from crowdalpha.release import POLICIES, Policy, ReleaseError
from crowdalpha.release.policies import matching_features

GROUPS = {"trend": ("trend_10", "trend_20"), "value": ("book",)}


def test_the_named_policies_are_those_of_the_recommended_design() -> None:
    plain, hardened, strict = (POLICIES[name] for name in ("plain", "hardened", "strict"))

    assert plain == Policy("plain")
    assert (hardened.rotate_groups, hardened.target_epsilon, hardened.eras_per_asset) == (60, 2.0, 26)
    assert (strict.group_size, strict.rotate_groups, strict.target_epsilon) == (3, 60, None)
    assert (hardened.main_target_only, hardened.withhold_rounds) == (True, True)
    assert (strict.main_target_only, strict.withhold_rounds, strict.eras_per_asset) == (True, True, 26)
    assert (hardened.fill_missing, hardened.equal_rows, strict.fill_missing, strict.equal_rows) == (True,) * 4


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bins", 1),
        ("group_size", 0),
        ("rotate_groups", 1),
        ("rotate_groups", -2),
        ("noise_sd", -0.1),
        ("noise_sd", float("nan")),
        ("cell_epsilon", 0.0),
        ("target_epsilon", float("nan")),
        ("eras_per_asset", 0),
    ],
)
def test_a_figure_out_of_range_is_refused_by_name(field: str, value: float) -> None:
    with pytest.raises(ReleaseError, match=f"policy own: {field} is"):
        Policy("own", **{field: value})  # type: ignore[arg-type]  # one field of several types


def test_mixing_needs_a_value_in_each_cell() -> None:
    with pytest.raises(ReleaseError, match="set fill_missing"):
        Policy("own", group_size=3)


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        (["book"], {"book"}),
        (["trend"], {"trend_10", "trend_20"}),
        (["*_2?", "value"], {"trend_20", "book"}),
        ([], set()),
    ],
)
def test_features_are_named_one_by_one_by_group_or_by_pattern(patterns: list[str], found: set[str]) -> None:
    assert matching_features(patterns, GROUPS) == found


def test_a_pattern_that_means_nothing_is_refused() -> None:
    with pytest.raises(
        ReleaseError, match="'momentum' is no feature, group or pattern of them; groups are trend, value"
    ):
        matching_features(["momentum"], GROUPS)


def test_the_rulebook_names_no_feature() -> None:
    rules = Policy("own", drop=("secret_feature",)).rules()

    assert rules["public_features"] == "dropped"
    assert "secret_feature" not in str(rules)
