import pytest

from crowdalpha.release import ReleaseError
from crowdalpha.release.audit import AttackResult, AuditReport, gate, limits_of

CLEAN = ("static", "files")


def report(policy: str, **successes: float) -> AuditReport:
    every = dict.fromkeys(CLEAN, 0.0) | successes
    results = tuple(
        AttackResult(name, value, value, 0.01, 1.0, 1.0, value, value, 0.0, {}) for name, value in every.items()
    )
    return AuditReport("v1", policy, 1, 1, 1, 1, results, {})


def test_plain_limits_plain_leaks_alone() -> None:
    limits = limits_of("plain")

    assert gate(report("plain", tickers=1.0), limits).passed
    assert [failure.attack for failure in gate(report("plain", static=1.0), limits).failures] == ["static"]


@pytest.mark.parametrize(
    ("attack", "largest"), [("tickers", 0.05), ("path_linked", 0.25), ("target_sets", 0.25), ("names", 0.15)]
)
def test_hardened(attack: str, largest: float) -> None:
    kept = {"tickers": 0.05, "path_linked": 0.25, "target_sets": 0.25, "names": 0.15, "track_public": 1.0}
    broken = gate(report("hardened", **kept | {attack: largest + 0.01}), limits_of("hardened"))

    assert gate(report("hardened", **kept), limits_of("hardened")).passed
    assert [(failure.attack, failure.limit) for failure in broken.failures] == [(attack, largest)]


@pytest.mark.parametrize("attack", ["track_public", "track_features", "tickers"])
def test_strict_allows_one_in_k_and_five_points(attack: str) -> None:
    own = {"path_own": 0.1, "target_sets": 0.1, "names": 0.15}
    kept = {"track_public": 0.29, "track_features": 0.29, "tickers": 0.29} | own
    limits = limits_of("strict", group_size=4)

    assert gate(report("strict", **kept), limits).passed
    assert not gate(report("strict", **kept | {attack: 0.31}), limits).passed


def test_what_was_not_measured_fails() -> None:
    result = gate(report("hardened", tickers=0.0, target_sets=0.0, names=0.0), limits_of("hardened"))

    assert [failure.words for failure in result.failures] == [
        "A4 name chains by targets, rows linked: limited to 0.25 and not measured"
    ]


def test_an_override_passes_and_still_tells() -> None:
    result = gate(report("plain", files=1.0).with_override("a test data set for our own staff"), limits_of("plain"))

    assert result.passed
    assert result.failures[0].words == "A6 plain leaks in the files: 1.000 is above the limit 0.00"


def test_unknown_policies_and_groups_are_refused() -> None:
    with pytest.raises(ReleaseError, match="'sealed' has no limits"):
        limits_of("sealed")
    with pytest.raises(ReleaseError, match="group_size is 1"):
        limits_of("strict", group_size=1)
