"""Where we send to: which URLs are taken, and which addresses are connected to."""

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from guilder.webhooks.errors import WebhookUrlRefused

URL_LENGTH_MAX = 2048

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_PRINTABLE = re.compile(r"[!-~]+")
_BRACKETED = re.compile(r"\[[0-9a-f:.]+\](?::[0-9]+)?", re.IGNORECASE)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)
_NUMERIC = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)", re.IGNORECASE)
_LOCAL_NAMES = ("localhost", "local", "localdomain", "internal", "intranet", "lan", "home.arpa")


def _networks(*texts: str) -> tuple[_Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


_OWN = _networks(  # Ours or our neighbours': refused unless the installation allows it.
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "::1/128",
    "fc00::/7",
)
_NEVER = _networks(  # The clouds' own, and the IANA special-purpose blocks nobody receives at.
    "0.0.0.0/8",
    "100.100.100.200/32",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "fd00:ec2::/32",
    "fd20:ce::/32",
)
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")  # All other IPv6 is no address of a receiver.


def check_url(url: str, *, is_test: bool, allow_private: bool) -> None:
    """Take a URL a receiver can have. Raises `WebhookUrlRefused` and says what is wrong with it.

    A name is resolved, and its address judged, each time we connect; here only what the text
    says is judged.
    """
    parts = _split(url)
    if parts.scheme != "https" and not (is_test and parts.scheme == "http"):
        raise _refused("it must begin with https://" + (" or http://" if is_test else ""))
    if "@" in parts.netloc:
        raise _refused("it may hold no user name or password")
    if "#" in url:
        raise _refused("it may hold no fragment")
    if not is_allowed_port(_port(parts), ()):
        raise _refused("its port must be a number from 1 to 65535")
    _check_host(parts, allow_private=allow_private)


def is_allowed_address(text: str, *, allow_private: bool) -> bool:
    """Whether to connect to this address, in the numbers a connection is made with.

    An IPv4 address within IPv6 (RFC 4291, ::ffff:0:0/96) is judged as what it is.
    """
    try:
        address: Address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if _within(address, _NEVER):
        return False
    if _within(address, _OWN):
        return allow_private
    return isinstance(address, ipaddress.IPv4Address) or address in _GLOBAL_V6


def is_allowed_port(port: int, refused: Iterable[int]) -> bool:
    """Whether to connect to this port: any real one but those of our own parts."""
    return 1 <= port <= 65535 and port not in refused


def _within(address: Address, networks: Iterable[_Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _split(url: str) -> SplitResult:
    if not 0 < len(url) <= URL_LENGTH_MAX:
        raise _refused(f"it must have 1 to {URL_LENGTH_MAX} characters")
    if _PRINTABLE.fullmatch(url) is None or any(sign in url for sign in '\\<>"{}|^`'):
        raise _refused("it may hold only the characters of RFC 3986; encode others")
    try:
        return urlsplit(url)
    except ValueError as cause:
        raise _refused("it is malformed") from cause


def _port(parts: SplitResult) -> int:
    if parts.netloc.endswith(":"):
        return 0
    try:
        port = parts.port
    except ValueError:
        return 0
    return (443 if parts.scheme == "https" else 80) if port is None else port


def _check_host(parts: SplitResult, *, allow_private: bool) -> None:
    host = parts.hostname or ""
    if parts.netloc.startswith("["):
        literal = _BRACKETED.fullmatch(parts.netloc) is not None and _is_address(host)
    elif _NUMERIC.fullmatch(host.rpartition(".")[2]):
        literal = _is_address(host)
    else:
        _check_name(host, allow_private=allow_private)
        return
    if not literal:
        raise _refused("its address is not written in the one usual way")
    if not is_allowed_address(host, allow_private=allow_private):
        raise _refused("its address is private, or not one that a receiver can have")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _check_name(host: str, *, allow_private: bool) -> None:
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _refused("its host is not a name of the internet")
    is_local = len(labels) == 1 or any(
        host == name or host.endswith(f".{name}") for name in _LOCAL_NAMES
    )
    if is_local and not allow_private:
        raise _refused("its host is a name within a private network")


def _refused(why: str) -> WebhookUrlRefused:
    return WebhookUrlRefused(f"this URL cannot be sent to: {why}", param="url")
