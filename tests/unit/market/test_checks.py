from crowdalpha.errors import InputError
from crowdalpha.market.checks import RULES, CheckReport, Finding, MissingPackageError, PriceFileError, UniverseFileError


def test_message_names_file_column_and_row() -> None:
    error = PriceFileError("p.csv", "'x' is not a number", column="close", row=7)

    assert str(error) == "price file p.csv, column close, row 7: 'x' is not a number"
    assert (error.source, error.column, error.row) == ("p.csv", "close", 7)


def test_message_leaves_out_what_is_not_known() -> None:
    assert str(UniverseFileError("u.csv", "has no rows")) == "universe file u.csv: has no rows"


def test_price_errors_are_input_errors() -> None:
    assert issubclass(UniverseFileError, PriceFileError)
    assert issubclass(PriceFileError, InputError)


def test_every_rule_has_one_of_three_actions_and_a_sentence() -> None:
    assert {action for action, _ in RULES.values()} == {"repaired", "dropped", "noted"}
    assert all(len(sentence) > 20 for _, sentence in RULES.values())


def test_finding_takes_its_action_from_the_table() -> None:
    assert Finding.of("close_not_positive", 2, "row 3").action == "dropped"


def test_report_counts_by_rule_and_keeps_the_order_of_the_table() -> None:
    report = CheckReport(findings=(Finding.of("style_missing", 3, ""),), rows_read=9, rows_kept=8)
    longer = report.extended([Finding.of("rows_unsorted", 2, "row 4")])

    assert [finding.rule for finding in longer.findings] == ["rows_unsorted", "style_missing"]
    assert (longer.count("rows_unsorted"), longer.count("day_too_thin")) == (2, 0)
    assert (longer.rows_read, longer.rows_kept) == (9, 8)


def test_a_missing_package_is_named_with_its_extra() -> None:
    error = MissingPackageError("yfinance", extra="yahoo", purpose="downloading")

    assert str(error) == "downloading needs yfinance; install it with: pip install 'crowdalpha[yahoo]'"
