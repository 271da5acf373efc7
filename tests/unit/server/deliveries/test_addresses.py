import socket
from ipaddress import ip_address, ip_network

import pytest

from crowdalpha.server.deliveries.addresses import RefusedAddress, allowed_addresses, is_allowed, is_public

NOT_PUBLIC = [
    "0.0.0.0",  # noqa: S104  # an address to refuse, nothing listens
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "172.31.255.255",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "2002:7f00:1::1",
    "fc00::1",
    "fd12::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_an_address_that_not_everybody_reaches_is_refused(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize(
    "text", ["8.8.8.8", "100.63.255.255", "100.128.0.0", "172.32.0.1", "2606:4700::1111", "2a00::1"]
)
def test_an_address_of_the_internet_is_public(text: str) -> None:
    assert is_public(ip_address(text))


def test_a_network_that_the_operator_names_is_allowed_and_no_other() -> None:
    networks = (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))

    assert is_allowed(ip_address("10.1.2.3"), networks)
    assert is_allowed(ip_address("fd00::1"), networks)
    assert not is_allowed(ip_address("10.2.0.1"), networks)


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f.1", "017700000001", "[::1]", "::1"])
def test_no_spelling_of_this_machine_gets_through(host: str) -> None:
    with pytest.raises(RefusedAddress):
        allowed_addresses(host, 443, ())


def test_a_name_with_one_private_address_among_its_own_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(*_: object, **__: object) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        return [(2, 1, 6, "", (text, 443)) for text in ("8.8.8.8", "192.168.1.1")]

    monkeypatch.setattr(socket, "getaddrinfo", answer)

    with pytest.raises(RefusedAddress, match="not on the public internet"):
        allowed_addresses("hook.example.org", 443, ())
