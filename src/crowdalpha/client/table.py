"""Rows of an answer, and the frames that they make."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import UnionType
from typing import Generic, TypeVar, get_args

import narwhals as nw
import polars as pl
from narwhals.typing import IntoDataFrame

from crowdalpha.client.answers import Answer
from crowdalpha.errors import InputError

__all__ = ["Table"]

A = TypeVar("A", bound=Answer)
PRECISION = 38
DTYPES: Mapping[type, pl.DataType] = {
    bool: pl.Boolean(),
    datetime: pl.Datetime("us", "UTC"),
    float: pl.Float64(),
    int: pl.Int64(),
    str: pl.String(),
}


@dataclass(frozen=True, slots=True)
class Table(Generic[A]):
    """Rows that can be looped over, and made a frame of.

    Parameters
    ----------
    kind : type
        What a row is.
    rows : sequence
        The rows, in the order of the server.

    Examples
    --------
    >>> from crowdalpha.client.answers import Balance
    >>> table = Table(Balance, [Balance(account="stake:3", balance="12.5", unit="points")])
    >>> table.to_polars().rows()
    [('stake:3', Decimal('12.5'), 'points')]
    """

    kind: type[A]
    rows: Sequence[A]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[A]:
        return iter(self.rows)

    def to_polars(self) -> pl.DataFrame:
        """Make a polars frame: money as `Decimal`, times in UTC, null where there is nothing.

        Returns
        -------
        DataFrame
            A column a field, also where there are no rows.
        """
        columns = {name: [getattr(row, name) for row in self.rows] for name in self.kind.model_fields}
        return pl.DataFrame(
            [
                pl.Series(name, columns[name], dtype=_dtype(field.annotation, columns[name]))
                for name, field in self.kind.model_fields.items()
            ]
        )

    def to_pandas(self) -> IntoDataFrame:
        """Make a pandas frame of the same columns.

        Returns
        -------
        pandas.DataFrame
            Money as `decimal.Decimal` in columns of objects.

        Raises
        ------
        InputError
            If pandas is not installed.
        """
        columns = {name: [getattr(row, name) for row in self.rows] for name in self.kind.model_fields}
        try:
            frame: nw.DataFrame[IntoDataFrame] = nw.from_dict(columns, backend="pandas")
        except ModuleNotFoundError as error:
            raise InputError("pandas is not installed: pip install 'crowdalpha[pandas]'") from error
        return frame.to_native()


def _dtype(annotation: object, values: Sequence[object]) -> pl.DataType:
    """Name the type of a column: that of its field, with as many decimals as its money has."""
    kinds = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    kind = next(each for each in kinds if each is not type(None))
    if kind is Decimal:
        exponents = [value.as_tuple().exponent for value in values if isinstance(value, Decimal)]
        return pl.Decimal(PRECISION, max((-each for each in exponents if isinstance(each, int)), default=0))
    return DTYPES[kind] if isinstance(kind, type) else pl.String()
