"""Which URLs are taken and which addresses are connected to: none of ours, however written."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guilder.webhooks.errors import WebhookUrlRefused
from guilder.webhooks.rules.receiver import check_url, is_allowed_address, is_allowed_port

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "2606:4700:4700::1111",
    "2a00:1450::1",
    "::ffff:1.1.1.1",
]
PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.255.255",
    "::1",
    "fc00::1",
    "fdff::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
]
NEVER = [
    "0.0.0.0",
    "0.1.2.3",
    "169.254.169.254",
    "169.254.170.2",
    "169.254.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::ffff:0.0.0.0",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "::127.0.0.1",
    "::169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
    "3fff::1",
    "5f00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]
NOT_ADDRESSES = [
    "",
    "localhost",
    "127.1",
    "0x7f000001",
    "2130706433",
    "0177.0.0.1",
    "1.1.1.1/32",
    " 1.1.1.1",
]


@pytest.mark.proves("S18")
@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_connected_to(address: str) -> None:
    assert is_allowed_address(address, allow_private=False)


@pytest.mark.proves("S18")
@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_needs_the_installations_word(address: str) -> None:
    assert not is_allowed_address(address, allow_private=False)
    assert is_allowed_address(address, allow_private=True)


@pytest.mark.proves("S18")
@pytest.mark.parametrize("address", NEVER + NOT_ADDRESSES)
def test_some_addresses_are_never_connected_to(address: str) -> None:
    assert not is_allowed_address(address, allow_private=False)
    assert not is_allowed_address(address, allow_private=True)


@pytest.mark.proves("S18")
@given(st.ip_addresses())
def test_nothing_is_connected_to_that_is_not_global(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if is_allowed_address(str(address), allow_private=False):
        if isinstance(address, ipaddress.IPv6Address):
            address = address.ipv4_mapped or address
        assert address.is_global
        assert not address.is_multicast
        assert not address.is_reserved


GOOD = [
    "https://shop.example/webhooks",
    "https://shop.example",
    "https://shop.example:8443/a/b?c=d&e=%20",
    "https://a-b.c_d.example/",
    "https://xn--bcher-kva.example/",
    "HTTPS://SHOP.EXAMPLE/",
    "https://1.1.1.1/hook",
    "https://[2606:4700:4700::1111]:443/hook",
    "https://10.shop.example/",
    "https://localhost.example/",
]


@pytest.mark.parametrize("url", GOOD)
@pytest.mark.parametrize("is_test", [True, False])
def test_a_usual_url_is_taken(url: str, *, is_test: bool) -> None:
    check_url(url, is_test=is_test, allow_private=False)


@pytest.mark.proves("S18")
@pytest.mark.parametrize("url", ["http://shop.example/", "http://1.1.1.1:8080/hook"])
def test_plain_http_is_for_test_mode_only(url: str) -> None:
    check_url(url, is_test=True, allow_private=False)
    with pytest.raises(WebhookUrlRefused):
        check_url(url, is_test=False, allow_private=False)


def _literal(address: str) -> str:
    return f"https://[{address}]/" if ":" in address else f"https://{address}/"


LOCAL = [
    *(_literal(address) for address in PRIVATE),
    "https://localhost/",
    "https://LOCALHOST:5432/",
    "https://db.localhost/",
    "https://printer.local/",
    "https://metadata.google.internal/computeMetadata/v1/",
    "https://intranet/",
    "https://postgres:5432/",
    "https://router.lan/",
    "https://nas.home.arpa/",
]


@pytest.mark.proves("S18")
@pytest.mark.parametrize("url", LOCAL)
def test_a_private_place_needs_the_installations_word(url: str) -> None:
    with pytest.raises(WebhookUrlRefused) as refused:
        check_url(url, is_test=True, allow_private=False)
    assert refused.value.param == "url"
    check_url(url, is_test=True, allow_private=True)


REFUSED = [
    *(_literal(address) for address in NEVER),
    "",
    "shop.example",
    "//shop.example/",
    "/etc/passwd",
    "https:",
    "https://",
    "https:///path",
    "https:shop.example",
    "https:/shop.example",
    "file:///etc/passwd",
    "ftp://shop.example/",
    "gopher://127.0.0.1:5432/_x",
    "dict://127.0.0.1:11211/",
    "data:text/plain,x",
    "javascript:alert(1)",
    "ws://shop.example/",
    "unix:///run/postgres.sock",
    "https://user@shop.example/",
    "https://user:pass@shop.example/",
    "https://shop.example@127.0.0.1/",
    "https://127.0.0.1@shop.example/",
    "https://shop.example#@127.0.0.1/",
    "https://127.0.0.1#.shop.example/",
    "https://shop.example/#fragment",
    "https://shop.example\\@127.0.0.1/",
    "https://127.0.0.1\\.shop.example/",
    "https://shop.example/a b",
    "https://shop.example/\t",
    "https://shop.example/\r\nHost: 127.0.0.1",
    "https://shop.example\n/",
    "https://shop.example/\0",
    " https://shop.example/",
    "https://shop.example/ ",
    "https://2130706433/",
    "https://017700000001/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://127.000.000.001/",
    "https://1.1.1.1.1/",
    "https://1.1.1.256/",
    "https://1.1.1.1./",
    "https://０x7f000001/",
    "https://①②⑦.0.0.1/",
    "https://127。0。0。1/",
    "https://lοcalhost/",
    "https://shop.example./",
    "https://.shop.example/",
    "https://shop..example/",
    "https://-shop.example/",
    "https://shop-.example/",
    "https://" + "a" * 64 + ".example/",
    "https://" + "a." * 130 + "example/",
    "https://shop.example:0/",
    "https://shop.example:65536/",
    "https://shop.example:-1/",
    "https://shop.example:/",
    "https://shop.example:8o/",
    "https://shop.example:443:5432/",
    "https://[::1/",
    "https://::1/",
    "https://[::1]x/",
    "https://[127.0.0.1]/",
    "https://[v1.x]/",
    "https://[fe80::1%25lo]/",
    "https://%31%32%37.0.0.1/",
    "https://127.0.0.1%00.shop.example/",
    "https://shop.example/<script>",
    "https://shop.example/" + "a" * 2048,
]


@pytest.mark.proves("S18")
@pytest.mark.parametrize("url", REFUSED)
@pytest.mark.parametrize("allow_private", [False, True])
def test_a_trick_is_not_a_url(url: str, *, allow_private: bool) -> None:
    with pytest.raises(WebhookUrlRefused):
        check_url(url, is_test=True, allow_private=allow_private)


@pytest.mark.proves("S18")
@given(st.text(max_size=80))
def test_no_text_is_an_exception_of_another_kind(text: str) -> None:
    for url in (text, f"https://{text}", f"https://{text}/", f"https://shop.example{text}"):
        try:
            check_url(url, is_test=True, allow_private=False)
        except WebhookUrlRefused:
            continue


def test_there_are_payloads_enough() -> None:
    assert len(LOCAL) + len(REFUSED) + len(NEVER) + len(NOT_ADDRESSES) >= 150


def test_a_port_of_ours_is_not_connected_to() -> None:
    assert is_allowed_port(443, ())
    assert is_allowed_port(5432, ())
    assert not is_allowed_port(5432, {5432})
    assert not is_allowed_port(0, ())
    assert not is_allowed_port(65536, ())
