"""Which addresses the platform calls on a participant's behalf: public ones, and networks that the operator names.

A participant chooses where a webhook leads. Without this rule he could make the server ask its own neighbours.
"""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from crowdalpha.errors import InputError

__all__ = ["Address", "Network", "RefusedAddress", "allowed_addresses", "is_allowed", "is_public"]

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

NOT_PUBLIC: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by a carrier's customers
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, where clouds keep their metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
PUBLIC_V6 = IPv6Network("2000::/3")
"""All that is routed in IPv6: loopback, mapped, translated, private, link-local and multicast addresses lie outside."""

NOT_PUBLIC_V6: tuple[IPv6Network, ...] = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, with Teredo, which wraps IPv4 addresses
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4 wraps IPv4 addresses
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)


class RefusedAddress(InputError):  # noqa: N818 - named for what happened
    """The host of a webhook does not exist, or is none that this platform calls."""

    code = "refused_address"


def is_public(address: Address) -> bool:
    """Tell whether an address is one that everybody in the world can reach, and reaches the same."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in NOT_PUBLIC)
    return address in PUBLIC_V6 and not any(address in network for network in NOT_PUBLIC_V6)


def is_allowed(address: Address, networks: Sequence[Network]) -> bool:
    """Tell whether an address is public, or in a network that the operator names."""
    named = any(address.version == network.version and address in network for network in networks)
    return named or is_public(address)


def allowed_addresses(host: str, port: int, networks: Sequence[Network]) -> list[Address]:
    """Resolve a host, and give its addresses if the platform may call every one of them.

    Raises
    ------
    RefusedAddress
        If the host does not resolve, or one of its addresses is neither public nor in `networks`.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise RefusedAddress("the host of the webhook does not resolve; check its spelling") from error
    texts = dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found)
    addresses = [ip_address(text) for text in texts]
    if not addresses or not all(is_allowed(address, networks) for address in addresses):
        raise RefusedAddress("the host of the webhook is not on the public internet; use one that is")
    return addresses
