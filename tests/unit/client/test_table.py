from datetime import UTC, datetime
from decimal import Decimal

import pandas as pd
import polars as pl

from crowdalpha.client.answers import Balance, Score, Transfer
from crowdalpha.client.table import Table

AT = datetime(2024, 1, 5, 12, tzinfo=UTC)


def transfer(amount: str) -> Transfer:
    return Transfer(
        id=1, code="stake", debit="available:7", credit="stake:3", amount=Decimal(amount), unit="points", at=AT
    )


def test_money_and_times_keep_their_types() -> None:
    frame = Table(Transfer, [transfer("12.500000000"), transfer("1")]).to_polars()

    assert frame["amount"].to_list() == [Decimal("12.5"), Decimal(1)]
    assert frame.schema["amount"] == pl.Decimal(38, 9)
    assert frame["at"].to_list() == [AT, AT]


def test_a_frame_without_rows_has_every_column() -> None:
    frame = Table(Score, []).to_polars()

    assert frame.columns == list(Score.model_fields)
    assert frame.schema["corr"] == pl.Float64
    assert frame.schema["is_final"] == pl.Boolean


def test_the_frames_of_pandas_and_polars_agree() -> None:
    table = Table(Balance, [Balance(account="stake:3", balance=Decimal("2.5"), unit="points")])

    frame = table.to_pandas()

    assert isinstance(frame, pd.DataFrame)
    assert frame.to_dict("list") == table.to_polars().to_dict(as_series=False)


def test_rows_can_be_looped_over() -> None:
    table = Table(Transfer, [transfer("1"), transfer("2")])

    assert len(table) == 2
    assert [each.amount for each in table] == [Decimal(1), Decimal(2)]


def test_money_as_text_has_no_exponent() -> None:
    nothing = Balance(account="stake:3", balance=Decimal("0.000000000"), unit="points")

    assert nothing.model_dump(mode="json")["balance"] == "0.000000000"
