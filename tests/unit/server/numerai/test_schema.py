import pytest

from crowdalpha.server.numerai.schema import MAX_ALIASES, MAX_DEPTH, MAX_TOKENS, build_schema

SCHEMA = build_schema()


def refusal(document: str) -> str:
    """Say why a document is refused before anything of it is done."""
    result = SCHEMA.execute_sync(document)
    assert result.errors is not None
    return result.errors[0].message


@pytest.mark.parametrize(
    "document",
    [
        "{latestNmrPrice" + "{priceUsd" * (MAX_DEPTH + 1) + "}" * (MAX_DEPTH + 1) + "}",
        "{" + " ".join(f"p{place}: latestNmrPrice {{priceUsd}}" for place in range(MAX_ALIASES + 1)) + "}",
        "{" + "latestNmrPrice{priceUsd} " * MAX_TOKENS + "}",
        "{" * 100_000,
    ],
    ids=["depth", "aliases", "tokens", "braces"],
)
def test_a_document_beyond_a_limit_is_refused(document: str) -> None:
    assert refusal(document)


def test_a_circle_of_fragments_is_refused() -> None:
    assert refusal("{latestNmrPrice {...A}} fragment A on NmrPrice {...B} fragment B on NmrPrice {...A}")


def test_points_have_no_price() -> None:
    assert SCHEMA.execute_sync("{latest_nmr_price {price_usd}}").data == {"latest_nmr_price": {"price_usd": None}}


def test_introspection_works_for_those_who_explore() -> None:
    result = SCHEMA.execute_sync("{__schema {queryType {name} types {name}}}")

    assert result.errors is None
