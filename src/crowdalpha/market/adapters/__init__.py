"""Files as people have them: CSV and Parquet, long and wide, from yfinance and Stooq, in folders and archives."""

from crowdalpha.market.adapters.sources import PriceSource, load_rows, source_of
from crowdalpha.market.adapters.yahoo import download_prices

__all__ = ["PriceSource", "download_prices", "load_rows", "source_of"]
