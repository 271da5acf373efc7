"""What gives way when limits contradict each other, in a stated order.

1. `trade`: a trade limit that keeps a position outside its bounds grows to what brings it back;
2. `turnover`: the turnover limit grows to what is needed;
3. `band`: banded exposures, and all limits of single trades (`trade`), are left out;
4. `position`: position limits are doubled, up to 16 times;
5. `neutrality`: frozen positions are left out of the exact rows;
6. `gross` and `net`: their limits grow to what frozen positions hold already.

The first step that some book meets is taken, with the least turnover that it needs; limits above it in the list may
give way along with it. The neutrality of what is traded, what cannot be borrowed and bounds of single weights never do.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from crowdalpha.portfolio.interior import minimal_turnover
from crowdalpha.portfolio.prepared import Prepared, box, program_of
from crowdalpha.portfolio.problem import Limits

__all__ = ["relax", "relaxed_names"]

_POSITION_FACTORS = (2, 4, 8, 16)
_SLACK = 1.001
"""Room above what is just feasible: there nothing could be chosen, and a solver has no interior to work in."""


def relax(prepared: Prepared) -> Limits:
    """Find the first limits, in the stated order, that some portfolio meets.

    Parameters
    ----------
    prepared : Prepared
        Checked problem whose limits cannot be met.

    Returns
    -------
    Limits
        Wider ones.

    Notes
    -----
    NaN policy: refuse (`prepare` has). Cost: a linear program a step, at most seven.
    """
    given = prepared.limits
    closing = float(np.abs(prepared.fixed - prepared.previous)[~prepared.free].sum())
    wider = given
    for wider in _steps(prepared):
        least = minimal_turnover(program_of(prepared, wider))
        if least is not None:
            return replace(wider, turnover=max(given.turnover, (least + closing) * _SLACK))
    return replace(wider, turnover=max(given.turnover, closing * _SLACK))


def _steps(prepared: Prepared) -> Iterator[Limits]:
    given = prepared.limits
    yield given
    loose = replace(given, bands_hold=False, trades_hold=False)
    if prepared.banded.shape[1] or np.isfinite(prepared.trade).any():
        yield loose
    for factor in _POSITION_FACTORS:
        yield replace(loose, position=given.position * factor)
    held, net = float(np.abs(prepared.fixed).sum()), abs(float(prepared.fixed.sum()))
    yield replace(
        loose,
        hedge_frozen=False,
        gross=given.gross if given.gross > held else held * _SLACK,
        net=given.net if given.net > net else net * _SLACK,
    )


def relaxed_names(prepared: Prepared, used: Limits) -> tuple[str, ...]:
    """Name the limits that gave way.

    Parameters
    ----------
    prepared : Prepared
        With the limits that were asked for.
    used : Limits
        The ones that were used.

    Returns
    -------
    tuple of str
        Out of `trade`, `turnover`, `band`, `position`, `neutrality`, `gross`, `net`, in that order.

    Notes
    -----
    NaN policy: refuse (`prepare` has). Cost: O(n_assets).
    """
    given = prepared.limits
    changed = {
        "trade": bool(np.isfinite(prepared.trade).any() and not used.trades_hold) or _comes_back(prepared, used),
        "turnover": used.turnover > given.turnover,
        "band": bool(prepared.banded.shape[1]) and not used.bands_hold,
        "position": bool((used.position > given.position).any()),
        "neutrality": not used.hedge_frozen,
        "gross": used.gross > given.gross,
        "net": used.net > given.net,
    }
    return tuple(name for name, is_changed in changed.items() if is_changed)


def _comes_back(prepared: Prepared, limits: Limits) -> bool:
    """Whether a position is so far outside its bounds that its trade limit had to grow."""
    lower, upper = box(prepared, replace(limits, trades_hold=False))
    nearest = np.clip(prepared.previous, lower, upper)
    return bool((np.abs(nearest - prepared.previous) > prepared.trade)[prepared.free].any())
