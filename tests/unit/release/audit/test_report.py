import json
from dataclasses import replace

import pytest

from crowdalpha.release import ReleaseError
from crowdalpha.release.audit import AttackResult, AuditReport
from crowdalpha.release.audit.leaks import Leak, leak_result


def result(attack: str, success: float) -> AttackResult:
    return AttackResult(attack, success, success, 0.002, 4.0, 7.0, success, success, 1.5, {"eras": 3, "z": 1 / 3})


def report(*results: AttackResult, skipped: dict[str, str] | None = None) -> AuditReport:
    return AuditReport("v1", "plain", 3, 300, 20, 5, results, skipped or {})


def test_the_bytes_are_canonical_and_hold_no_times() -> None:
    one = report(result("tickers", 0.5))
    later = report(replace(result("tickers", 0.5), seconds=99.0))
    content = json.loads(one.to_bytes())

    assert one.to_bytes() == later.to_bytes()
    assert list(content) == sorted(content)
    assert content["results"]["tickers"]["detail"] == {"eras": 3, "z": 0.333333}
    assert b"seconds" not in one.to_bytes()


@pytest.mark.parametrize(
    ("results", "words"),
    [
        ([result("tickers", 0.9)], "hides little"),
        ([result("track_public", 0.3)], "names a part of the rows"),
        ([result("calendar", 1.0)], "No attack tried here names many rows"),
        ([result("tickers", 0.003)], "No attack tried here did clearly better than chance"),
        ([result("tickers", 0.003), leak_result("static", [Leak("row_count", "eras differ")])], "plain leaks"),
    ],
)
def test_the_verdict_sums_up(results: list[AttackResult], words: str) -> None:
    assert words in report(*results).verdict()[0]


def test_the_verdict_says_what_is_not_known() -> None:
    verdict = report(result("tickers", 0.2), skipped={"names": "no prices"}).verdict()

    assert verdict[1].startswith("20% of rows of a single era")
    assert verdict[-2:] == [
        "names was not tried: no prices.",
        "How far attacks that are not in this report get is not known.",
    ]


def test_advice_is_given_against_what_works_and_once() -> None:
    leaks = leak_result("static", [Leak("row_count", "a"), Leak("row_count", "b")])
    advice = report(result("tickers", 0.9), result("names", 0.01), leaks).advice()

    assert len(advice) == 2
    assert advice[0].startswith("leave out what public prices give")
    assert advice[1] == "publish the same number of rows in every era"


def test_no_word_claims_safety() -> None:
    """What a page may never say of plaintext rows."""
    text = report(result("tickers", 0.0)).to_bytes().decode().lower()

    assert not [word for word in ("anonym", "encrypt", "irreversible", "cannot", "safe") if word in text]


def test_an_override_needs_a_reason_and_keeps_it() -> None:
    kept = report().with_override("  shown to two partners under a contract ")

    assert json.loads(kept.to_bytes())["override"] == "shown to two partners under a contract"
    with pytest.raises(ReleaseError, match="at least 20 characters"):
        report().with_override("because")


def test_find() -> None:
    one = report(result("tickers", 0.5))

    assert one.find("tickers") is one.results[0]
    assert one.find("names") is None
