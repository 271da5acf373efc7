"""What trading and holding cost: one model, used by the optimiser on forecasts and by the backtest on what happened.

Everything is a fraction of book value. Dividends are in total returns, which shorts pay in full; taxes, withholding
and permanent impact are not modelled.
"""

from dataclasses import dataclass, fields

import numpy as np

from crowdalpha.portfolio.checks import at_least, per_asset
from crowdalpha.scoring.arrays import BoolArray, FloatArray
from crowdalpha.scoring.checks import NonFiniteError, RangeError, finite

__all__ = ["TRADING_DAYS_PER_YEAR", "CostModel"]

TRADING_DAYS_PER_YEAR = 252
"""Days per year on which holding costs accrue; the usual count of exchange days."""

_BPS = 1e-4


@dataclass(frozen=True, kw_only=True)
class CostModel:
    """Linear cost, square-root impact, borrow fee and financing.

    Attributes
    ----------
    half_spread_bps : float, default=3
        Half of the quoted spread, in basis points of what is traded. An assumption for large, liquid stocks;
        small ones cost ten times as much.
    commission_bps : float, default=1
        Commission and fees, in basis points of what is traded. An assumption for an institution.
    impact : float, default=1
        Y in `Y * volatility * sqrt(participation)`. Of order one in units of daily volatility [1]_ [2]_.
    borrow_bps_per_year : float or ndarray of shape (n_assets,), default=40
        Fee on short value, one for all or one an asset; infinite for what nobody lends, which the backtest does not
        sell short. Mean of large stocks 39 basis points a year in [3]_; 91 % of stocks below 100 in [4]_.
    execution_days : float, default=1
        Days over which a trade is worked.
    cash_bps_per_year : float, default=0
        Rate on cash, before the spread of the broker. Zero leaves the return of cash out of the result.
    financing_spread_bps_per_year : float, default=0
        What the broker takes on each side: on money borrowed for longs, on own cash, and on the proceeds of shorts.

    References
    ----------
    .. [1] Y. Sato, K. Kanazawa, "Does the square-root price impact law hold universally?", arXiv 2411.13965 (2024).
    .. [2] S. Boyd et al., "Multi-period trading via convex optimization" (2017), section 2.3.
    .. [3] L. Cohen, K. Diether, C. Malloy, "Supply and demand shifts in the shorting market", Journal of Finance
       62 (2007).
    .. [4] G. D'Avolio, "The market for borrowing stock", Journal of Financial Economics 66 (2002).
    """

    half_spread_bps: float = 3.0
    commission_bps: float = 1.0
    impact: float = 1.0
    borrow_bps_per_year: float | FloatArray = 40.0
    execution_days: float = 1.0
    cash_bps_per_year: float = 0.0
    financing_spread_bps_per_year: float = 0.0

    def __post_init__(self) -> None:
        """Refuse negative or undefined costs: a cost that pays is a mistake of sign."""
        for field in fields(self):
            at_least(float(np.min(getattr(self, field.name))), 0.0, field.name)
        at_least(self.execution_days, np.finfo(np.float64).tiny, "execution_days")

    @property
    def linear(self) -> float:
        """Cost of trading one unit of book value without impact."""
        return (self.half_spread_bps + self.commission_bps) * _BPS

    def impact_coefficient(self, *, volatility: FloatArray, adv: FloatArray, nav: float) -> FloatArray:
        """Give the factor of `|trade| ** 1.5` in the cost of a trade.

        Parameters
        ----------
        volatility : ndarray of shape (n_assets,), dtype=float64
            Daily volatility of return.
        adv : ndarray of shape (n_assets,), dtype=float64
            Daily traded value, in the currency of `nav`: a forecast to optimise, the real one to simulate.
        nav : float
            Value of the book.

        Returns
        -------
        ndarray of shape (n_assets,), dtype=float64
            `impact * volatility * sqrt(nav / (adv * execution_days))`; infinite where nothing trades.

        Raises
        ------
        ShapeError
            If the arrays differ in length.
        RangeError
            If `nav` is negative or NaN.

        Notes
        -----
        NaN policy: propagate. Cost: O(n_assets). With `impact` 0 it is 0 whatever the other arrays hold.
        """
        n_assets = len(volatility)
        at_least(nav, 0.0, "nav")
        sigma = per_asset(volatility, "volatility", n_assets=n_assets)
        value = per_asset(adv, "adv", n_assets=n_assets)
        if self.impact == 0:
            return np.zeros(n_assets)
        with np.errstate(divide="ignore", invalid="ignore"):
            coefficient: FloatArray = self.impact * sigma * np.sqrt(nav / (value * self.execution_days))
        return coefficient

    def trade_cost(self, trades: FloatArray, *, volatility: FloatArray, adv: FloatArray, nav: float) -> FloatArray:
        """Charge trades.

        Parameters
        ----------
        trades : ndarray of shape (n_assets,), dtype=float64
            Change of weights, fractions of book value.
        volatility : ndarray of shape (n_assets,), dtype=float64
            Daily volatility of return.
        adv : ndarray of shape (n_assets,), dtype=float64
            Daily traded value, in the currency of `nav`.
        nav : float
            Value of the book.

        Returns
        -------
        ndarray of shape (n_assets,), dtype=float64
            Cost of each trade, a fraction of book value, at least 0.

        Raises
        ------
        ShapeError
            If the arrays differ in length.
        NonFiniteError
            If a trade is not finite, or an asset that is traded has no volatility or no volume.
        RangeError
            If `nav` is negative or NaN.

        Notes
        -----
        NaN policy: refuse for assets that are traded; volatility and volume of the others are not looked at.
        Cost: O(n_assets).

        Examples
        --------
        >>> model = CostModel(half_spread_bps=3, commission_bps=1, impact=1)
        >>> model.trade_cost(np.array([0.01]), volatility=np.array([0.02]), adv=np.array([1e6]), nav=1e6)
        array([2.4e-05])
        """
        change = per_asset(trades, "trades", n_assets=len(volatility))
        finite(trades=change)
        size = np.abs(change)
        slope = np.where(size > 0, self.impact_coefficient(volatility=volatility, adv=adv, nav=nav), 0.0)
        if not np.isfinite(slope).all():
            row = int(np.argmin(np.isfinite(slope)))
            raise NonFiniteError(
                f"asset {row} is traded with volatility {volatility[row]} and adv {adv[row]}; do not trade it"
            )
        cost: FloatArray = self.linear * size + slope * size * np.sqrt(size)
        return cost

    def holding_cost(self, weights: FloatArray, *, days: float = 1.0) -> FloatArray:
        """Charge the borrow fee on short positions; `financing_cost` is the rest of what holding costs.

        Parameters
        ----------
        weights : ndarray of shape (n_assets,), dtype=float64
            Fractions of book value, negative where short.
        days : float, default=1
            Trading days that they are held.

        Returns
        -------
        ndarray of shape (n_assets,), dtype=float64
            Cost of each position, a fraction of book value, at least 0.

        Raises
        ------
        ShapeError
            If there is not one fee, or one per asset.
        NonFiniteError
            If a weight is not finite.
        RangeError
            If `days` is negative, or an asset is short that nobody lends.

        Notes
        -----
        NaN policy: refuse. Cost: O(n_assets). A year has 252 trading days.

        Examples
        --------
        >>> CostModel(borrow_bps_per_year=252).holding_cost(np.array([0.5, -0.5]))
        array([0.e+00, 5.e-05])
        """
        held = per_asset(weights, "weights", n_assets=len(weights))
        finite(weights=held)
        at_least(days, 0.0, "days")
        fee = self._borrow_fee(len(held))
        lost = (held < 0) & np.isinf(fee)
        if lost.any():
            row = int(np.argmax(lost))
            raise RangeError(f"asset {row} is short by {-held[row]:g} and nobody lends it; close it first")
        short = np.maximum(-held, 0.0)
        return short * np.where(short > 0, fee, 0.0) * (_BPS * days / TRADING_DAYS_PER_YEAR)

    def lendable(self, n_assets: int) -> BoolArray:
        """Say which assets can be sold short.

        Parameters
        ----------
        n_assets : int
            Assets there are.

        Returns
        -------
        ndarray of shape (n_assets,), dtype=bool
            False where the borrow fee is infinite.

        Raises
        ------
        ShapeError
            If there is not one fee, or one per asset.

        Notes
        -----
        NaN policy: refuse (when the model is made). Cost: O(n_assets).
        """
        return np.isfinite(self._borrow_fee(n_assets))

    def financing_cost(self, weights: FloatArray, *, days: float = 1.0) -> float:
        """Charge, or credit, interest on everything that is not a position.

        Parameters
        ----------
        weights : ndarray of shape (n_assets,), dtype=float64
            Fractions of book value.
        days : float, default=1
            Trading days that they are held.

        Returns
        -------
        float
            Fraction of book value; negative where interest is earned. Longs are paid with the book's own money
            first, and what is missing is borrowed; the proceeds of shorts lie with the broker.

        Raises
        ------
        NonFiniteError
            If a weight is not finite.
        RangeError
            If `days` is negative.

        Notes
        -----
        NaN policy: refuse. Cost: O(n_assets). A year has 252 trading days.

        Examples
        --------
        A book of 1.5 long and 0.5 short borrows 0.5 and has proceeds of 0.5: no net cash, the spread on 1.

        >>> model = CostModel(cash_bps_per_year=400, financing_spread_bps_per_year=252)
        >>> model.financing_cost(np.array([1.5, -0.5]))
        0.0001
        """
        held = per_asset(weights, "weights", n_assets=len(weights))
        finite(weights=held)
        at_least(days, 0.0, "days")
        own, proceeds = 1.0 - float(held[held > 0].sum()), -float(held[held < 0].sum())
        interest = self.cash_bps_per_year * (own + proceeds)
        spread = self.financing_spread_bps_per_year * (abs(own) + proceeds)
        return (spread - interest) * _BPS * days / TRADING_DAYS_PER_YEAR

    def _borrow_fee(self, n_assets: int) -> FloatArray:
        if np.ndim(self.borrow_bps_per_year) == 0:
            return np.full(n_assets, self.borrow_bps_per_year)
        return per_asset(self.borrow_bps_per_year, "borrow_bps_per_year", n_assets=n_assets)
