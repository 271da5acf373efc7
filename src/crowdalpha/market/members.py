"""What a universe file says of the names in the prices: present names, countries, currencies, sectors."""

import polars as pl

from crowdalpha.market.checks import Finding, UniverseFileError
from crowdalpha.market.cleaning import finding_of_rows

__all__ = ["UNKNOWN_SECTOR", "assets_of", "with_places", "with_present_names"]

UNKNOWN_SECTOR = "Unknown"


def with_present_names(rows: pl.DataFrame, members: pl.DataFrame) -> tuple[pl.DataFrame, Finding]:
    """Put rows under a former ticker under the present one.

    Parameters
    ----------
    rows : DataFrame
        As `read_price_table` returns them.
    members : DataFrame
        As `read_universe_table` returns it.

    Returns
    -------
    tuple of (DataFrame, Finding)
        The rows, in their order; and those changed, under rule `ticker_joined`.

    Notes
    -----
    NaN policy: propagate. Cost: O(rows). Where the file has countries, the row's must be that of the company, if it
    has one.
    """
    former = members.filter(pl.col("former_ticker").is_not_null())
    former = former.select(code="former_ticker", present="ticker", home="country")
    joined = rows.join(former.unique("code", keep="none"), on="code", how="left", maintain_order="left")
    same_country = pl.col("home").is_null() | pl.col("country").is_null() | (pl.col("home") == pl.col("country"))
    hit = joined.select(pl.col("present").is_not_null() & same_country).to_series()
    finding = finding_of_rows("ticker_joined", rows, hit)
    renamed = [pl.when(hit).then("present").otherwise(name).alias(name) for name in ("code", "ticker")]
    return joined.with_columns(renamed).drop("present", "home"), finding


def with_places(rows: pl.DataFrame, members: pl.DataFrame, universe_name: str) -> pl.DataFrame:
    """Fill the countries and currencies that rows lack from the universe.

    Parameters
    ----------
    rows : DataFrame
        As `read_price_table` returns them.
    members : DataFrame
        As `read_universe_table` returns it.
    universe_name : str
        Name of the universe file, for messages.

    Returns
    -------
    DataFrame
        The rows, in their order.

    Raises
    ------
    UniverseFileError
        If a ticker whose rows have no country is in more than one.

    Notes
    -----
    NaN policy: propagate. Cost: O(rows).
    """
    lost = rows.filter(pl.col("country").is_null())["ticker"].unique()
    used = members.filter(pl.col("ticker").is_in(lost.implode())).select("ticker", home="country")
    twice = used.filter(pl.col("ticker").is_duplicated())
    if twice.height:
        ticker = twice["ticker"][0]
        problem = f"{ticker!r} is in more than one country; give the price file a column country"
        raise UniverseFileError(universe_name, problem, column="ticker")
    rows = rows.join(used, on="ticker", how="left", maintain_order="left")
    rows = rows.with_columns(pl.coalesce("country", "home").alias("country")).drop("home")
    money = members.select("ticker", "country", money="currency").drop_nulls("money").unique(["ticker", "country"])
    rows = rows.join(money, on=["ticker", "country"], how="left", nulls_equal=True, maintain_order="left")
    return rows.with_columns(pl.coalesce("currency", "money").alias("currency")).drop("money")


def assets_of(rows: pl.DataFrame, members: pl.DataFrame | None) -> tuple[pl.DataFrame, list[Finding]]:
    """List the assets of the panel.

    Parameters
    ----------
    rows : DataFrame
        Clean rows.
    members : DataFrame or None
        As `read_universe_table` returns it.

    Returns
    -------
    tuple of (DataFrame, list of Finding)
        One row an asset: `country`, `code`, `ticker`, `currency` (the last of its rows), `name`, `sector`, in the order
        of the panel; and what was found.

    Notes
    -----
    NaN policy: omit. Cost: O(rows).
    """
    assets = rows.group_by("country", "code", maintain_order=True).agg(
        pl.col("ticker").first(), pl.col("currency").drop_nulls().last()
    )
    clash = pl.col("code").is_duplicated()
    named = pl.when(clash).then(pl.format("{}:{}", "country", "code")).otherwise("code")
    assets = assets.with_columns(named.alias("name"), sector=pl.lit(None, dtype=pl.String))
    findings = []
    if members is not None:
        keys = ["ticker"] if members["country"].null_count() == members.height else ["country", "ticker"]
        sectors, spelled = _one_spelling(members.select(*keys, "sector"))
        assets = assets.drop("sector").join(sectors, on=keys, how="left", maintain_order="left")
        idle = members.join(assets, on=keys, how="anti", maintain_order="left")
        findings += [spelled, Finding.of("universe_unused", idle.height, idle["ticker"][0] if idle.height else "")]
    assets = assets.sort("name")
    unknown = assets.filter(pl.col("sector").is_null())["name"]
    findings.append(Finding.of("sector_unknown", len(unknown), str(unknown[0]) if len(unknown) else ""))
    return assets.with_columns(pl.col("sector").fill_null(UNKNOWN_SECTOR)), findings


def _one_spelling(sectors: pl.DataFrame) -> tuple[pl.DataFrame, Finding]:
    """Write each sector as its first spelling in the file."""
    plain = pl.col("sector").str.to_lowercase().str.replace_all("&", " and ").str.replace_all(r"[\s_-]+", "")
    spelled = sectors.with_columns(plain.alias("plain"))
    first = spelled.drop_nulls("sector").unique("plain", keep="first", maintain_order=True)
    first = first.select("plain", first="sector")
    others = spelled.drop_nulls("sector").select("plain", "sector").unique(maintain_order=True)
    others = others.join(first, on="plain", how="left", maintain_order="left")
    others = others.filter(pl.col("sector") != pl.col("first"))
    example = f"{others['sector'][0]!r} is {others['first'][0]!r}" if others.height else ""
    merged = spelled.join(first, on="plain", how="left", maintain_order="left")
    return (
        merged.with_columns(pl.col("first").alias("sector")).drop("plain", "first"),
        Finding.of("sector_spelling", others.height, example),
    )
