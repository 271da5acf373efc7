from crowdalpha.release.audit.leaks import FIXES, Leak, leak_result


def test_any_leak_is_a_success() -> None:
    result = leak_result("files", [Leak("row_count", "eras have 3 to 9 rows")])

    assert (result.success, result.chance, result.ci_low, result.ci_high) == (1.0, 0.0, 1.0, 1.0)
    assert result.detail == {"leaks": ["row_count"], "words": ["eras have 3 to 9 rows"]}


def test_no_leak_is_none() -> None:
    assert leak_result("files", []).success == 0.0


def test_each_fix_says_what_to_do() -> None:
    assert all(words[0].islower() and not words.endswith(".") for words in FIXES.values())
