"""What columns are called in the files that people have."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from crowdalpha.market.checks import PriceFileError

__all__ = ["FIELD_NAMES", "INDEX_LABELS", "PRICE_NAMES", "UNIVERSE_NAMES", "field_of", "known_columns"]

FIELD_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "open": (),
        "high": (),
        "low": (),
        "close": (),
        "adj_close": ("adjclose", "adjusted_close"),
        "volume": ("vol",),
        "adj_factor": (),
        "dividend": ("dividends",),
        "split": ("stock_splits", "splits"),
    }
)
"""Numbers of a day, and their other names."""

PRICE_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "date": ("datetime", "timestamp"),
        "ticker": ("symbol",),
        "security": (),
        "country": (),
        "currency": (),
        "per": (),
        **FIELD_NAMES,
    }
)
"""Columns of a price file, and their other names."""

INDEX_LABELS = ("", "index", "Unnamed: 0", "__index_level_0__")
"""What an index of days without a name becomes, depending on what wrote the file."""

UNIVERSE_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ticker": ("symbol",),
        "former_ticker": ("former_symbol",),
        "country": (),
        "currency": (),
        "sector": ("gics_sector",),
    }
)
"""Columns of a universe file, and their other names."""


def field_of(label: str, names: Mapping[str, tuple[str, ...]] = PRICE_NAMES) -> str | None:
    """Give the name by which a column is known here.

    Parameters
    ----------
    label : str
        Name in a file: case, spaces and angle brackets do not matter.
    names : mapping of str to tuple of str, default=PRICE_NAMES
        Known names and their other names.

    Returns
    -------
    str or None
        Known name; None if there is none.

    Examples
    --------
    >>> [field_of(label) for label in ("Adj Close", "<VOL>", "Symbol", "AAPL")]
    ['adj_close', 'volume', 'ticker', None]
    """
    plain = label.strip().removeprefix("<").removesuffix(">").lower().replace(" ", "_")
    if plain in names:
        return plain
    return next((known for known, others in names.items() if plain in others), None)


def known_columns(
    labels: Iterable[str],
    name: str,
    names: Mapping[str, tuple[str, ...]] = PRICE_NAMES,
    *,
    error: type[PriceFileError] = PriceFileError,
) -> dict[str, str]:
    """Find the columns of a file that are known here.

    Parameters
    ----------
    labels : iterable of str
        Names in the file.
    name : str
        Name of the file, for messages.
    names : mapping of str to tuple of str, default=PRICE_NAMES
        Known names and their other names.
    error : type of PriceFileError, default=PriceFileError
        What to raise.

    Returns
    -------
    dict of str to str
        Label in the file by known name; a label that is the known name itself goes before other names.

    Raises
    ------
    PriceFileError
        If two labels stand for one known name.
    """
    found: dict[str, str] = {}
    for label in labels:
        field = field_of(label, names)
        if field is None or found.get(field) == field:
            continue
        if field in found and label != field:
            raise error(name, f"and {found[field]} are both taken for {field}; keep one", column=label)
        found[field] = label
    return found
