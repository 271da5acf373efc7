"""Country behind the suffix of a ticker: exchanges as Yahoo, Reuters and Bloomberg write them."""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["BLOOMBERG_PLACES", "EXCHANGE_PLACES"]


def _by_code(countries: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({code: country for country, codes in countries.items() for code in codes.split()})


EXCHANGE_PLACES: Mapping[str, str] = _by_code(
    {
        "AR": "BA", "AT": "VI", "AU": "AX ASX", "BE": "BR", "BR": "SA", "CA": "TO V NE TSX", "CH": "SW S",
        "CL": "SN", "CN": "SS SZ", "CZ": "PR", "DE": "DE F BE DU HM MU SG", "DK": "CO", "EG": "CA", "ES": "MC",
        "FI": "HE", "FR": "PA", "GB": "L IL LON LSE", "GR": "AT", "HK": "HK", "HU": "BD", "ID": "JK", "IE": "IR",
        "IL": "TA", "IN": "NS BO", "IS": "IC", "IT": "MI", "JP": "T TYO", "KR": "KS KQ", "MX": "MX", "MY": "KL",
        "NL": "AS", "NO": "OL", "NZ": "NZ", "PL": "WA", "PT": "LS", "QA": "QA", "SE": "ST", "SG": "SI", "TH": "BK",
        "TR": "IS", "TW": "TW TWO", "US": "N O OQ K NYSE NASDAQ", "ZA": "JO",
    }
)  # fmt: skip
"""Country by the exchange in a ticker such as `VOD.L` or `LON:VOD`."""

BLOOMBERG_PLACES: Mapping[str, str] = _by_code(
    {
        "AT": "AV", "AU": "AU AT", "BE": "BB", "BR": "BZ BS", "CA": "CN CT CF", "CH": "SW SE VX", "CL": "CI CC",
        "CN": "CH CG CS", "CZ": "CP", "DE": "GR GY GF", "DK": "DC", "EG": "EY", "ES": "SM SQ", "FI": "FH", "FR": "FP",
        "GB": "LN", "GR": "GA", "HU": "HB", "ID": "IJ", "IE": "ID", "IL": "IT", "IN": "IN IS IB", "IT": "IM",
        "JP": "JP JT", "KR": "KS KP KQ", "MX": "MM MF", "MY": "MK", "NL": "NA", "NO": "NO", "PL": "PW", "PT": "PL",
        "QA": "QD", "SA": "AB", "SE": "SS", "SG": "SP", "TH": "TB", "TR": "TI", "TW": "TT", "ZA": "SJ",
        "US": "US UN UW UQ UA UR UP UV",
    }
)  # fmt: skip
"""Country by the exchange in a Bloomberg ticker such as `VOD LN`; where these differ from ISO codes, they win there."""
