import io
from dataclasses import dataclass

import polars as pl
import pytest

from crowdalpha.errors import InputError
from crowdalpha.rules.money import POINTS, Amount
from crowdalpha.server.kit.shapes import AmountText, Out, Recorded
from crowdalpha.server.kit.tables import Form, answer, columns_of, read_cursor


@dataclass(frozen=True)
class Thing:
    id: int
    name: str
    held: Amount
    corr: int | None


class ThingOut(Out):
    id: int
    name: str
    held: AmountText
    corr: Recorded | None


THINGS = [
    Thing(1, "=HYPERLINK(1)", Amount.parse("1.5", POINTS), 250_000_000),
    Thing(2, "b", Amount.parse("-2", POINTS), None),
    Thing(3, "c", Amount.parse("0", POINTS), 0),
]
ROWS = [(1, "=HYPERLINK(1)", "1.500000000", 0.25), (2, "b", "-2.000000000", None), (3, "c", "0.000000000", 0.0)]


def test_json_has_the_rows_and_the_cursor() -> None:
    body = answer(THINGS, ThingOut, limit=2, cursor=lambda thing: (thing.id, 7)).body

    assert bytes(body).startswith(b'{"rows":[{"id":1,')
    assert bytes(body).endswith(b'"next":"2.7"}')


def test_a_page_that_is_the_last_has_no_cursor() -> None:
    body = answer(THINGS, ThingOut, limit=3, cursor=lambda thing: (thing.id,)).body

    assert bytes(body).endswith(b'"next":null}')


def test_parquet_has_the_same_rows_with_types() -> None:
    given = answer(THINGS, ThingOut, form="parquet", limit=2, cursor=lambda thing: (thing.id,))
    frame = pl.read_parquet(io.BytesIO(bytes(given.body)))

    assert frame.rows() == ROWS[:2]
    assert frame.schema == columns_of(ThingOut)
    assert given.headers["next-cursor"] == "2"


def test_text_that_a_spreadsheet_would_run_is_quoted_in_csv_and_numbers_are_not() -> None:
    body = bytes(answer(THINGS[:2], ThingOut, form="csv").body)

    assert body == b"id,name,held,corr\n1,'=HYPERLINK(1),1.500000000,0.25\n2,b,-2.000000000,\n"


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_table_without_rows_has_its_columns(form: Form) -> None:
    body = bytes(answer([], ThingOut, form=form).body)
    frame = pl.read_csv(body) if form == "csv" else pl.read_parquet(io.BytesIO(body))

    assert frame.columns == ["id", "name", "held", "corr"]


@pytest.mark.parametrize("text", ["", "x", "1.2.3", "-1.2", "1.", "1" * 19 + ".1", "٣.1"])
def test_a_cursor_of_somebody_else_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="send `next` of the page before"):
        read_cursor(text, 2)


def test_a_cursor_comes_back_as_it_was() -> None:
    assert read_cursor("12.5", 2) == (12, 5)
    assert read_cursor(None, 2) is None
