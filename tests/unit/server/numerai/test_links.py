from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from crowdalpha.rules.errors import Forbidden
from crowdalpha.server.numerai.links import LINK_LIFE, FileLink, check_link, make_link

KEY, NOW = b"k" * 32, datetime(2024, 1, 1, tzinfo=UTC)
NAME = "my predictions & more.csv"


def made() -> tuple[FileLink, str]:
    url = urlsplit(make_link("https://alpha.test/sub", sha256="ab" * 32, filename=NAME, key=KEY, now=NOW))
    query = parse_qs(url.query)
    _, sha256, filename = url.path.rsplit("/", 2)
    return FileLink(sha256, unquote(filename), int(query["expires"][0])), query["signature"][0]


def test_an_address_opens_its_file_until_it_expires() -> None:
    link, signature = made()

    assert link.filename == NAME
    check_link(link, signature=signature, key=KEY, now=NOW + LINK_LIFE - timedelta(seconds=1))
    with pytest.raises(Forbidden, match="expired"):
        check_link(link, signature=signature, key=KEY, now=NOW + LINK_LIFE)


@pytest.mark.parametrize(
    "change", [{"sha256": "cd" * 32}, {"filename": "other.csv"}, {"expires": 2_000_000_000}], ids=str
)
def test_an_address_opens_nothing_else(change: dict[str, str | int]) -> None:
    link, signature = made()

    with pytest.raises(Forbidden, match="not valid"):
        check_link(replace(link, **change), signature=signature, key=KEY, now=NOW)  # type: ignore[arg-type]  # mypy takes every change for every field


def test_a_signature_of_another_platform_or_none_opens_nothing() -> None:
    link, signature = made()

    with pytest.raises(Forbidden):
        check_link(link, signature=signature, key=b"x" * 32, now=NOW)
    with pytest.raises(Forbidden):
        check_link(link, signature="é", key=KEY, now=NOW)
