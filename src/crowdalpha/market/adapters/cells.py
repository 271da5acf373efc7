"""Cells of a column: text, days and numbers of known types, or a message that names the first bad one."""

import polars as pl
from polars.exceptions import PolarsError

from crowdalpha.market.checks import PriceFileError

__all__ = ["as_dates", "as_floats", "as_text", "is_text_of_days"]

DATE_FORMATS = ("%Y-%m-%d", "%Y%m%d")
TIME_OF_DAY = r"[T ].*$"


def as_text(
    raw: pl.Series, name: str, column: str, *, error: type[PriceFileError] = PriceFileError, required: bool = False
) -> pl.Series:
    """Read text without the spaces around it.

    Parameters
    ----------
    raw : Series of shape (n_rows,)
        Cells of any type that has a text.
    name, column : str
        File and column, for messages.
    error : type of PriceFileError, default=PriceFileError
        What to raise.
    required : bool, default=False
        Whether an empty cell is refused.

    Returns
    -------
    Series of shape (n_rows,), dtype=String
        Text; null where empty.

    Raises
    ------
    PriceFileError
        If the type has no text, or a required cell is empty.

    Notes
    -----
    NaN policy: propagate, refuse where `required`. Cost: O(n_rows).
    """
    try:
        text = raw.cast(pl.String).str.strip_chars()
    except PolarsError as cause:
        raise error(name, f"holds {raw.dtype}, not text", column=column) from cause
    text = text.set(text == "", None)
    missing = text.is_null().arg_true()
    if required and len(missing):
        raise error(name, "is empty; every row needs one", column=column, row=int(missing[0]) + 1)
    return text


def as_dates(raw: pl.Series, name: str, column: str) -> pl.Series:
    """Read days.

    Parameters
    ----------
    raw : Series of shape (n_rows,)
        Days, times, text `YYYY-MM-DD` or `YYYYMMDD`, or whole numbers of the second form.
    name, column : str
        File and column, for messages.

    Returns
    -------
    Series of shape (n_rows,), dtype=Date
        Days; a time of day is dropped, because some exports write midnight.

    Raises
    ------
    PriceFileError
        If a cell is no day.

    Notes
    -----
    NaN policy: refuse. Cost: O(n_rows).
    """
    if raw.dtype == pl.String:
        dates = _text_to_dates(raw)
    elif raw.dtype.is_integer():
        dates = _text_to_dates(raw.cast(pl.String))
    elif raw.dtype == pl.Date or isinstance(raw.dtype, pl.Datetime):
        dates = raw.dt.date()
    else:
        raise PriceFileError(name, f"holds {raw.dtype}, not dates; write YYYY-MM-DD", column=column, row=1)
    bad = dates.is_null().arg_true()
    if len(bad):
        row = int(bad[0])
        raise PriceFileError(name, f"{raw[row]!r} is not a date; write YYYY-MM-DD", column=column, row=row + 1)
    return dates


def is_text_of_days(cell: str) -> bool:
    """Tell whether a cell reads as a day."""
    return _text_to_dates(pl.Series([cell])).null_count() == 0


def as_floats(raw: pl.Series, name: str, column: str) -> pl.Series:
    """Read numbers.

    Parameters
    ----------
    raw : Series of shape (n_rows,)
        Numbers, or text that spells them.
    name, column : str
        File and column, for messages.

    Returns
    -------
    Series of shape (n_rows,), dtype=Float64
        Numbers; null where the cell is empty.

    Raises
    ------
    PriceFileError
        If a cell is no number.

    Notes
    -----
    NaN policy: propagate; infinities too, they are judged later. Cost: O(n_rows).
    """
    if raw.dtype.is_numeric() or raw.dtype == pl.Null:
        return raw.cast(pl.Float64)
    if raw.dtype != pl.String:
        raise PriceFileError(name, f"holds {raw.dtype}, not numbers", column=column, row=1)
    text = raw.str.strip_chars()
    values = text.cast(pl.Float64, strict=False)
    bad = (values.is_null() & text.is_not_null() & (text != "")).arg_true()
    if len(bad):
        row = int(bad[0])
        raise PriceFileError(name, f"{raw[row]!r} is not a number", column=column, row=row + 1)
    return values


def _text_to_dates(raw: pl.Series) -> pl.Series:
    text = raw.str.strip_chars().str.replace(TIME_OF_DAY, "")
    first, second = (text.str.to_date(form, strict=False) for form in DATE_FORMATS)
    return first if first.null_count() == 0 else first.zip_with(first.is_not_null(), second)
