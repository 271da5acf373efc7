from crowdalpha.release.named.coverage import MOST_EXAMPLES, DroppedRow, by_country, tally


def test_all_rows_are_counted_and_the_first_of_each_reason_kept() -> None:
    dropped = [DroppedRow(row, "X", "unknown") for row in range(50, 0, -1)] + [DroppedRow(60, "Y", "delisted")]
    counts, examples = tally(dropped)

    assert counts == {"unknown": 50, "delisted": 1}
    assert [each.row for each in examples] == [*range(1, MOST_EXAMPLES + 1), 60]


def test_a_country_without_a_row_is_there() -> None:
    assert [(each.country, each.matched) for each in by_country(["US", "GB", "US"], ["US"])] == [("GB", 0), ("US", 1)]
