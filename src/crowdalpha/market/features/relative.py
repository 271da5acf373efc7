"""Features against the market, the sector and the country."""

from functools import partial

import numpy as np

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.features.channels import (
    Lagged,
    change,
    country,
    log_value,
    market,
    market_overnight,
    overnight,
    sector,
)
from crowdalpha.market.features.declaration import Column, Feature, over
from crowdalpha.market.features.trend import SKIPPED_DAYS
from crowdalpha.market.features.view import Channel, Moments, View
from crowdalpha.market.history import History
from crowdalpha.market.windows import ratio

__all__ = ["FEATURES", "market_beta"]

MARKET, SECTOR, COUNTRY = "market", "sector", "country"
SECTORS: tuple[Column, ...] = ("close", "sectors")
COUNTRIES: tuple[Column, ...] = ("close", "countries")
SECTOR_VALUE: tuple[Column, ...] = ("close", "volume", "sectors")
YEAR, SHORT = 252, 60


def market_beta(view: View, days: int) -> FloatArray:
    """Regress the daily log returns on those of the equal-weight market.

    Parameters
    ----------
    view : View
        What the eras may see.
    days : int
        The window.

    Returns
    -------
    ndarray of shape (n_eras, n_assets), dtype=float64
        Slopes.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets), shared by all windows.
    """
    return _on_market(view, days).slope


def _on_market(view: View, days: int) -> Moments:
    return view.moments(change, market, days)


def _market_correlation(view: View, days: int) -> FloatArray:
    return _on_market(view, days).correlation


def _own_volatility(view: View, days: int) -> FloatArray:
    return _on_market(view, days).residual_deviation


def _recent_residual(view: View, days: int) -> FloatArray:
    """Return of the last days less beta times the market's, beta from the last year."""
    return view.total(change, days) - market_beta(view, YEAR) * view.total(market, days)


def _residual_momentum(view: View, days: int) -> FloatArray:
    """Residual return of all but the last month in units of its own volatility.

    D. Blitz, J. Huij and M. Martens, "Residual momentum", Journal of Empirical Finance 18 (2011).
    """
    moments = _on_market(view, days)
    own, common = view.total(change, days, skip=SKIPPED_DAYS), view.total(market, days, skip=SKIPPED_DAYS)
    return ratio(own - moments.slope * common, moments.residual_deviation * np.sqrt(days - SKIPPED_DAYS))


def _beta_in_falls(view: View, days: int) -> FloatArray:
    """Slope through the origin on days on which the market falls (A. Ang, J. Chen and Y. Xing, 2006)."""
    return ratio(view.mean_product(change, _falls, days), view.mean_product(_falls, _falls, days))


def _beta_in_rises(view: View, days: int) -> FloatArray:
    return ratio(view.mean_product(change, _rises, days), view.mean_product(_rises, _rises, days))


def _beta_asymmetry(view: View, days: int) -> FloatArray:
    return _beta_in_falls(view, days) - _beta_in_rises(view, days)


def _falls(history: History) -> FloatArray:
    return np.minimum(history.market, 0.0)


def _rises(history: History) -> FloatArray:
    return np.maximum(history.market, 0.0)


def _squares(history: History) -> FloatArray:
    return history.market**2


def _calm(history: History) -> FloatArray:
    return np.abs(history.market)


def _with_squares(view: View, days: int) -> FloatArray:
    """Correlation with the square of the market's return, as co-skewness (C. Harvey and A. Siddique, 2000)."""
    return view.moments(change, _squares, days).correlation


def _with_unrest(view: View, days: int) -> FloatArray:
    """Slope on the size of the market's move."""
    return view.moments(change, _calm, days).slope


def _delay(view: View, days: int) -> FloatArray:
    """Slope on the market's return of the day before (E. Dimson, 1979)."""
    return view.moments(change, Lagged(market), days).slope


def _change_of_beta(view: View, days: int, *, short: int = SHORT) -> FloatArray:
    return market_beta(view, short) - market_beta(view, days)


def _change_of_correlation(view: View, days: int, *, short: int = SHORT) -> FloatArray:
    return _market_correlation(view, short) - _market_correlation(view, days)


def _own_volatility_term(view: View, days: int, *, short: int) -> FloatArray:
    return ratio(_own_volatility(view, short), _own_volatility(view, days))


def _night_beta(view: View, days: int) -> FloatArray:
    return view.moments(overnight, market_overnight, days).slope


def _move_size_with_market(view: View, days: int) -> FloatArray:
    """Correlation of the size of the own move with that of the market's."""
    return view.moments(_own_size, _calm, days).correlation


def _own_size(history: History) -> FloatArray:
    return np.abs(history.change)


def _to_sector(history: History) -> FloatArray:
    return history.change - history.sector


def _to_country(history: History) -> FloatArray:
    return history.change - history.country


def _value_to_sector(history: History) -> FloatArray:
    return history.log_value - history.sectors.spread(history.sectors.means(history.log_value))


def _against(view: View, days: int, *, series: Channel, skip: int = 0) -> FloatArray:
    return view.total(series, days, skip=skip)


def _deviation(view: View, days: int, *, series: Channel) -> FloatArray:
    return view.deviation(series, days)


def _slope(view: View, days: int, *, series: Channel) -> FloatArray:
    return view.moments(change, series, days).slope


def _correlation(view: View, days: int, *, series: Channel) -> FloatArray:
    return view.moments(change, series, days).correlation


def _average(view: View, days: int, *, series: Channel) -> FloatArray:
    return view.average(series, days)


def _per_deviation(view: View, days: int, *, series: Channel) -> FloatArray:
    return ratio(view.average(series, days), view.deviation(series, days))


def _sector_delay(view: View, days: int) -> FloatArray:
    return view.moments(change, Lagged(sector), days).slope


def _value_share_change(view: View, days: int) -> FloatArray:
    """Traded value against the sector, the last month less the window."""
    return view.average(_value_to_sector, SKIPPED_DAYS) - view.average(_value_to_sector, days)


def _value_with_sector(view: View, days: int) -> FloatArray:
    """Correlation of the traded value with the sector's return."""
    return view.moments(log_value, sector, days).correlation


_sector = partial(over, group=SECTOR, needs=SECTORS)
_country = partial(over, group=COUNTRY, needs=COUNTRIES)

OF_MARKET: tuple[Feature, ...] = (
    *over((20, 60, 120, 252), "beta_{}", market_beta, group=MARKET, small=(252,), medium=(60,)),
    *over((20, 60, 120, 252), "market_correlation_{}", _market_correlation, group=MARKET, small=(120,)),
    *over((20, 60, 120, 252), "own_volatility_{}", _own_volatility, group=MARKET, small=(60,)),
    *over((60, 120), "own_volatility_20_to_{}", partial(_own_volatility_term, short=20), group=MARKET, medium=(120,)),
    *(
        feature
        for days in (5, 10, 20, 60)
        for feature in over(
            (days,), "residual_{}", _recent_residual, group=MARKET, extra=YEAR - days, small=(20,), medium=(60,)
        )
    ),
    *over((120, 252), "residual_momentum_{}", _residual_momentum, group=MARKET, small=(252,)),
    *over((120, 252), "beta_in_falls_{}", _beta_in_falls, group=MARKET, medium=(252,)),
    *over((120, 252), "beta_in_rises_{}", _beta_in_rises, group=MARKET),
    *over((120, 252), "beta_asymmetry_{}", _beta_asymmetry, group=MARKET, medium=(252,)),
    *over((120, 252), "with_market_squared_{}", _with_squares, group=MARKET, medium=(252,)),
    *over((120, 252), "with_unrest_{}", _with_unrest, group=MARKET),
    *over((60, 120, 240), "delay_{}", _delay, group=MARKET, extra=1, medium=(240,)),
    *over((252,), "change_of_beta_60_{}", _change_of_beta, group=MARKET, medium=(252,)),
    *over((252,), "change_of_correlation_60_{}", _change_of_correlation, group=MARKET),
    *over((60, 252), "night_beta_{}", _night_beta, group=MARKET, needs=("open", "close")),
    *over((60, 252), "move_size_with_market_{}", _move_size_with_market, group=MARKET),
)
OF_SECTOR: tuple[Feature, ...] = (
    *_sector((1, 5, 10, 20, 60, 120, 252), "to_sector_{}", partial(_against, series=_to_sector), small=(5, 20)),
    *_sector((120, 252), "to_sector_{}_skip_20", partial(_against, series=_to_sector, skip=SKIPPED_DAYS), small=(252,)),
    *_sector((20, 60, 252), "to_sector_per_risk_{}", partial(_per_deviation, series=_to_sector), medium=(60,)),
    *_sector((20, 60, 252), "to_sector_volatility_{}", partial(_deviation, series=_to_sector), medium=(60,)),
    *_sector((60, 120, 252), "sector_beta_{}", partial(_slope, series=sector), medium=(120,)),
    *_sector((60, 120, 252), "sector_correlation_{}", partial(_correlation, series=sector), medium=(252,)),
    *_sector((5, 20, 60, 120, 252), "sector_return_{}", partial(_against, series=sector), medium=(20,)),
    *_sector((20, 60, 252), "sector_volatility_{}", partial(_deviation, series=sector)),
    *_sector((120, 240), "sector_delay_{}", _sector_delay, extra=1),
    *over((20, 60), "value_to_sector_{}", partial(_average, series=_value_to_sector), group=SECTOR, needs=SECTOR_VALUE),
    *over((120, 252), "value_share_change_{}", _value_share_change, group=SECTOR, needs=SECTOR_VALUE, medium=(120,)),
    *over((60, 252), "value_with_sector_{}", _value_with_sector, group=SECTOR, needs=SECTOR_VALUE),
)
OF_COUNTRY: tuple[Feature, ...] = (
    *_country((5, 20, 60, 252), "to_country_{}", partial(_against, series=_to_country), small=(20,), medium=(60,)),
    *_country((20, 60, 252), "to_country_per_risk_{}", partial(_per_deviation, series=_to_country)),
    *_country((5, 20, 60, 252), "country_return_{}", partial(_against, series=country), medium=(20,)),
    *_country((60, 252), "country_volatility_{}", partial(_deviation, series=country)),
    *_country((60, 252), "country_beta_{}", partial(_slope, series=country), medium=(252,)),
    *_country((60, 252), "country_correlation_{}", partial(_correlation, series=country)),
)
FEATURES: tuple[Feature, ...] = (*OF_MARKET, *OF_SECTOR, *OF_COUNTRY)
