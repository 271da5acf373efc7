"""How a feature is declared."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.features.view import View

__all__ = ["Column", "Compute", "Feature", "Tier", "over"]

Column = Literal["close", "open", "high", "low", "volume", "sectors", "countries", "filings"]
Tier = Literal["small", "medium", "all"]
Compute = Callable[[View], FloatArray]


@dataclass(frozen=True)
class Feature:
    """One number an asset and era, from the days up to the era's.

    Parameters
    ----------
    name : str
        Name for the operator; participants see another.
    group : str
        What kind of information it is.
    window : int
        Days it sees, its own day included; 0 for one that sees reports alone.
    needs : tuple of Column
        What must be given for it to exist: columns of the price file, more than one sector or country, filings.
    compute : callable
        Maps a view to an array (n_eras, n_assets); NaN where undefined.
    tier : {"small", "medium", "all"}, default="all"
        Smallest set of features that it belongs to.
    years : int, default=0
        Calendar years of prices before the era without which it has no value.
    """

    name: str
    group: str
    window: int
    needs: tuple[Column, ...]
    compute: Compute
    tier: Tier = "all"
    years: int = 0


def over(
    windows: Iterable[int],
    name: str,
    compute: Callable[[View, int], FloatArray],
    *,
    group: str,
    needs: tuple[Column, ...] = ("close",),
    extra: int = 0,
    small: tuple[int, ...] = (),
    medium: tuple[int, ...] = (),
) -> tuple[Feature, ...]:
    """Declare one feature for each of several windows.

    Parameters
    ----------
    windows : iterable of int
        Days, at most `view.LONGEST_SPAN`.
    name : str
        Pattern of the name; `{}` is where the days go.
    compute : callable
        Maps a view and the days to an array (n_eras, n_assets).
    group : str
        Group of all of them.
    needs : tuple of Column, default=("close",)
        What must be given.
    extra : int, default=0
        Days that are seen before the first of the window, by lags.
    small, medium : tuple of int
        Which windows belong to these sets.

    Returns
    -------
    tuple of Feature
        One a window, in the order given.

    Notes
    -----
    NaN policy: propagate. Cost: O(n_windows).
    """

    def tier(days: int) -> Tier:
        if days in small:
            return "small"
        return "medium" if days in medium else "all"

    return tuple(
        Feature(
            name.format(days),
            group=group,
            window=days + extra,
            needs=needs,
            compute=partial(_at, compute=compute, days=days),
            tier=tier(days),
        )
        for days in windows
    )


def _at(view: View, *, compute: Callable[[View, int], FloatArray], days: int) -> FloatArray:
    return compute(view, days)
