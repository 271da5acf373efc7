"""Features of company reports, as they were known on the day; items of a quarter are at a yearly rate."""

from functools import partial

import numpy as np

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.features.channels import close
from crowdalpha.market.features.declaration import Compute, Feature, Tier
from crowdalpha.market.features.view import View
from crowdalpha.market.windows import ratio

__all__ = ["FEATURES", "value"]

GROUP = "fundamentals"


def value(view: View) -> FloatArray:
    """Average the ranks-free cheapness of a company: book value and earnings, over its market value.

    Parameters
    ----------
    view : View
        What the eras may see; without reports all is missing.

    Returns
    -------
    ndarray of shape (n_eras, n_assets), dtype=float64
        Mean of book to price and ten times earnings to price, of which one may be missing.

    Notes
    -----
    NaN policy: omit. Cost: O(n_eras * n_assets). Ten is the usual ratio of the two.
    """
    book = _over(view, "equity", "market_value")
    earnings = 10.0 * _over(view, "net_income", "market_value")
    both = 0.5 * (book + earnings)
    return np.where(np.isnan(both), np.where(np.isnan(book), earnings, book), both)


def _over(view: View, item: str, base: str) -> FloatArray:
    return ratio(view.filed(item), view.filed(base))


def _less_over(view: View, item: str, less: str, base: str) -> FloatArray:
    return ratio(view.filed(item) - view.filed(less), view.filed(base))


def _growth(view: View, item: str) -> FloatArray:
    """Change over a year as a share of the mean size of both."""
    now, then = view.filed(item), view.filed(item, year_ago=True)
    return ratio(now - then, 0.5 * (np.abs(now) + np.abs(then)))


def _change_of_ratio(view: View, item: str, base: str) -> FloatArray:
    then = ratio(view.filed(item, year_ago=True), view.filed(base, year_ago=True))
    return _over(view, item, base) - then


def _surprise(view: View) -> FloatArray:
    """Change of the earnings over a year, against the value of the company."""
    return ratio(view.filed("net_income") - view.filed("net_income", year_ago=True), view.filed("market_value"))


def _accruals(view: View) -> FloatArray:
    """Earnings that were not cash (R. Sloan, 1996)."""
    return _less_over(view, "net_income", "cash_flow_op", "assets")


def _free_cash(view: View) -> FloatArray:
    return ratio(view.filed("cash_flow_op") + view.filed("cash_flow_inv"), view.filed("market_value"))


def _size(view: View) -> FloatArray:
    worth = view.filed("market_value")
    return np.where(worth > 0, np.log(np.where(worth > 0, worth, 1.0)), np.nan)


def _since_report(view: View) -> FloatArray:
    """Log return since the last close before the report."""
    return np.log(view.last(close) / view.filed("close_then"))


def _item(view: View, item: str) -> FloatArray:
    return view.filed(item)


def _feature(name: str, compute: Compute, tier: Tier = "all") -> Feature:
    return Feature(name, group=GROUP, window=0, needs=("filings",), compute=compute, tier=tier)


TO_PRICE: tuple[tuple[str, str, Tier], ...] = (
    ("earnings", "net_income", "small"),
    ("book", "equity", "small"),
    ("sales", "revenues", "medium"),
    ("operating_income", "op_income", "all"),
    ("cash_flow", "cash_flow_op", "medium"),
    ("assets", "assets", "all"),
    ("cash", "cash", "all"),
)
RATIOS: tuple[tuple[str, str, str, Tier], ...] = (
    ("net_margin", "net_income", "revenues", "medium"),
    ("operating_margin", "op_income", "revenues", "all"),
    ("return_on_equity", "net_income", "equity", "medium"),
    ("return_on_assets", "net_income", "assets", "small"),
    ("operating_return_on_assets", "op_income", "assets", "all"),
    ("asset_turnover", "revenues", "assets", "all"),
    ("equity_share", "equity", "assets", "medium"),
    ("current_ratio", "cur_assets", "cur_liab", "all"),
    ("cash_ratio", "cash", "cur_liab", "all"),
    ("cash_share", "cash", "assets", "all"),
    ("cash_return_on_assets", "cash_flow_op", "assets", "all"),
    ("investment", "cash_flow_inv", "assets", "all"),
    ("financing", "cash_flow_fin", "assets", "all"),
)
GROWN: tuple[tuple[str, Tier], ...] = (
    ("revenues", "small"),
    ("net_income", "all"),
    ("op_income", "all"),
    ("assets", "medium"),
    ("equity", "all"),
    ("cash", "all"),
)
CHANGED: tuple[tuple[str, str, str], ...] = (
    ("net_margin", "net_income", "revenues"),
    ("return_on_assets", "net_income", "assets"),
    ("asset_turnover", "revenues", "assets"),
    ("equity_share", "equity", "assets"),
)
FEATURES: tuple[Feature, ...] = (
    *(
        _feature(f"{name}_to_price", partial(_over, item=item, base="market_value"), tier)
        for name, item, tier in TO_PRICE
    ),
    *(_feature(name, partial(_over, item=item, base=base), tier) for name, item, base, tier in RATIOS),
    *(_feature(f"growth_of_{item}", partial(_growth, item=item), tier) for item, tier in GROWN),
    *(
        _feature(f"change_of_{name}", partial(_change_of_ratio, item=item, base=base), "all")
        for name, item, base in CHANGED
    ),
    _feature("value", value),
    _feature("free_cash_flow_to_price", _free_cash),
    _feature("accruals", _accruals, "medium"),
    _feature("earnings_surprise", _surprise, "medium"),
    _feature("market_value", _size),
    _feature("return_since_report", _since_report, "medium"),
    _feature("report_age", partial(_item, item="age")),
    _feature("report_delay", partial(_item, item="delay")),
)
