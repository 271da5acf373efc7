from crowdalpha.release.audit.leaks import Leak, leak_result, with_accepted


def test_plain_accepts_the_gaps_and_rows_that_the_market_has_and_nothing_else() -> None:
    gaps = leak_result("static", [Leak("missing_values", "3 features"), Leak("row_count", "90 to 91 rows")])
    order = leak_result("static", [Leak("missing_values", "3 features"), Leak("row_order", "by asset")])

    assert with_accepted(gaps, "plain").success == 0.0
    assert with_accepted(gaps, "plain").detail == gaps.detail
    assert with_accepted(gaps, "hardened").success == 1.0
    assert with_accepted(order, "plain").success == 1.0
