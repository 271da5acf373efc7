import json

from crowdalpha.market.checks import Finding
from crowdalpha.market.inspection import Inspection, Refusal
from crowdalpha.market.inspection_document import to_json


def test_the_document_holds_refusals_and_what_each_rule_is_about() -> None:
    refusal = Refusal("price file", "b.csv", None, None, "has no rows")
    found = Finding.of("price_stale", 3, "A", months=(("2024-01", 3),))
    document = json.loads(to_json(Inspection(("a.csv", "b.csv"), (refusal,), (found,), rows_read=9, rows_kept=8)))

    assert (document["format"], document["rows_read"], document["rows_kept"]) == (1, 9, 8)
    assert document["refusals"][0]["problem"] == "has no rows"
    assert document["findings"][0]["months"] == [["2024-01", 3]]
    assert document["findings"][0]["about"] == "runs of ten or more equal closes as traded"
