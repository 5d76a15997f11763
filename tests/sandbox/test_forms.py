"""Stripe's form encoding, and the names and numbers of its cards, by themselves."""

import pytest

from guilder_sandbox.stripe import params
from guilder_sandbox.stripe.cards import Card, card_of_number, find_card
from guilder_sandbox.stripe.form import BadForm, Form, parse_form
from guilder_sandbox.stripe.refusals import Refused

FORMS: list[tuple[bytes, Form]] = [
    (b"", {}),
    (b"a=1&b=2", {"a": "1", "b": "2"}),
    (b"a=1&a=2", {"a": "2"}),
    (b"a", {"a": ""}),
    (b"a=b=c", {"a": "b=c"}),
    (b"a=x+y%20z%2B", {"a": "x y z+"}),
    (b"a=%E2%82%AC", {"a": "€"}),
    (b"m[k]=v&m[l]=w", {"m": {"k": "v", "l": "w"}}),
    (b"m%5Bk%5D=v", {"m": {"k": "v"}}),
    (b"m[a][b]=v", {"m": {"a": {"b": "v"}}}),
    (b"l[]=1&l[]=2", {"l": ["1", "2"]}),
    (b"l[1]=b&l[0]=a", {"l": {"1": "b", "0": "a"}}),
    (b"a=1&=2&", {"a": "1"}),
]


@pytest.mark.parametrize(("raw", "form"), FORMS)
def test_a_form_is_read(raw: bytes, form: Form) -> None:
    assert parse_form(raw) == form


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff=1",
        b"a=%ff",
        b"a[b=1",
        b"[a]=1",
        b"a[b]c=1",
        b"a=1&a[b]=2",
        b"a=1&a[]=2",
        b"a[]=1&a[b]=2",
        b"a[b]=1&a[b][c]=2",
        b"a[b][c][d][e][f]=1",
        b"a=1&" * 1001,
    ],
)
def test_what_is_no_form_is_refused(raw: bytes) -> None:
    with pytest.raises(BadForm):
        parse_form(raw)


def test_a_list_is_read_in_its_order() -> None:
    for raw in (b"l[]=a&l[]=b", b"l[1]=b&l[0]=a", b"l[10]=b&l[9]=a"):
        assert params.texts(parse_form(raw), "l") == ["a", "b"]
    assert params.texts({}, "l") == []
    for raw in (b"l=a", b"l[x]=a", b"l[0][y]=a"):
        with pytest.raises(Refused):
            params.texts(parse_form(raw), "l")


def test_an_empty_value_takes_metadata_away() -> None:
    kept = {"a": "1", "b": "2"}
    assert params.merge(kept, {"b": "", "c": "3"}) == {"a": "1", "c": "3"}
    many = "&".join(f"metadata[k{n}]=v" for n in range(51))
    with pytest.raises(Refused):
        params.metadata(parse_form(many.encode()))


def test_a_card_is_found_by_every_name_it_has() -> None:
    for name in ("chargeDeclined", "chargeDeclinedLostCard", "chargeDeclinedFraudulent"):
        cards = [find_card(f"{kind}{name}") for kind in ("pm_card_", "pm_card_visa_", "tok_")]
        assert cards[0] is not None
        assert cards.count(cards[0]) == 3
    found = card_of_number("378282246310005")
    assert isinstance(found, Card)
    assert (found.name, found.last4) == ("pm_card_amex", "0005")
