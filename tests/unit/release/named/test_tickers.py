import pytest

from crowdalpha.release.named import Match, NamedUniverse, TickerIndex
from crowdalpha.release.named.tickers import normal_name
from tests.fixtures.named import coins, shares

INDEX = TickerIndex(shares())


@pytest.mark.parametrize(
    ("text", "column", "found"),
    [
        ("AAPL US", "numerai_ticker", "AAPL US"),
        (" aapl  us ", "numerai_ticker", "AAPL US"),
        ("AAPL", "numerai_ticker", "AAPL US"),
        ("ＡＡＰＬ US", "numerai_ticker", "AAPL US"),  # noqa: RUF001  # full width, as some sources write it
        ("brk/b us", "numerai_ticker", "BRK.B US"),
        ("BRK-B", "ticker", "BRK.B US"),
        ("BRK B", "ticker", "BRK.B US"),
        ("AAPL.O", "ticker", "AAPL US"),
        ("VOD.L", "ticker", "VOD GB"),
        ("LON:VOD", "ticker", "VOD GB"),
        ("005930.KS", "ticker", "005930 KR"),
        ("ABC.AX", "ticker", "ABC AU"),
        ("ABC US", "ticker", "ABC US"),
        ("VOD LN", "bloomberg_ticker", "VOD GB"),
        ("BRK/B US Equity", "bloomberg_ticker", "BRK.B US"),
        ("005930 KP Equity", "bloomberg_ticker", "005930 KR"),
        ("bbg000b9xry4", "composite_figi", "AAPL US"),
        ("263494", "sedol", "VOD GB"),
        ("84670702", "cusip", "BRK.B US"),
        ("FB US", "numerai_ticker", "META US"),
        ("FB", "ticker", "META US"),
        ("DUAL", "ticker", "DUAL AU"),
    ],
)
def test_a_name_leads_to_its_asset(text: str, column: str, found: str) -> None:
    assert INDEX.find(text, column=column) == Match("live", (found,))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("ABC", Match("ambiguous", ("ABC AU", "ABC US"))),
        ("TWTR", Match("delisted", ("TWTR US",))),
        ("TINY US", Match("outside", ("TINY US",))),
        ("DUAL US", Match("delisted", ("GONE US",))),
        ("AAPL GB", Match("unknown")),
        ("BRK.A", Match("unknown")),
        ("", Match("unknown")),
        ("=1+1", Match("unknown")),
        ("A" * 10_000, Match("unknown")),
    ],
)
def test_what_cannot_count_says_why(text: str, match: Match) -> None:
    assert INDEX.find(text, column="ticker") == match


@pytest.mark.parametrize("text", ["BTC", "btc", "BTC-USD", "btc/usdt", "BTC_USDC"])
def test_a_coin_is_known_beside_its_quote(text: str) -> None:
    assert TickerIndex(coins("BTC", "ETH")).find(text, column="symbol") == Match("live", ("BTC",))


def test_a_former_name_that_another_took_over_leads_to_the_other() -> None:
    frame = shares().to_frame()
    taken = NamedUniverse.of(frame.with_columns(frame["ticker"].replace("AAPL", "FB")))

    assert TickerIndex(taken).find("FB", column="ticker") == Match("live", ("AAPL US",))


def test_a_normal_name_is_its_own_normal_name() -> None:
    assert normal_name(normal_name(" a//b - c ")) == normal_name(" a//b - c ") == "A.B.C"
