"""Stripe's messages: who may say them, and what they tell."""

import hmac
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guilder.connectors.psp.contract import (
    ForgedMessage,
    MalformedMessage,
    News,
    Operation,
    ProviderMessage,
    Verdict,
)
from guilder.connectors.psp.stripe.webhooks import read_message
from guilder.kernel.ids import AttemptId
from guilder.kernel.money import Money
from guilder.kernel.secret import Secret
from tests.connectors.psp.stripe.samples import (
    CAPTURED_BY,
    EVENTS,
    PAID_BY,
    PAYMENT,
    REFUND,
    REFUNDED_BY,
    event,
)
from tests.connectors.unhurried import unhurried

NOW = datetime(2026, 11, 20, 19, 0, tzinfo=UTC)
STAMP = int(NOW.timestamp())
SECRET = Secret("the present secret")
FORMER = Secret("the former secret")


def signature(raw: bytes, secret: Secret = SECRET, stamp: object = STAMP) -> str:
    content = f"{stamp}.".encode() + raw
    return hmac.new(secret.reveal().encode(), content, sha256).hexdigest()


def raw_event(name: str) -> bytes:
    return json.dumps(event(name)).encode()


def heard(
    raw: bytes,
    header: str | None = None,
    *,
    secrets: tuple[Secret, ...] = (SECRET,),
    now: datetime = NOW,
) -> ProviderMessage:
    signed = f"t={STAMP},v1={signature(raw)}" if header is None else header
    return read_message({"stripe-signature": signed}, raw, secrets=secrets, now=now)


def news(name: str) -> News | None:
    return heard(raw_event(name)).news


RAW = raw_event("payment_intent_succeeded_sale")
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")


def test_a_signed_message_is_named() -> None:
    message = heard(RAW)
    assert message.event_id == "evt_3TgW8kQx2Vn5Lb0R1ev00"
    assert message.topic == "payment_intent.succeeded"
    assert message.happened_at == datetime.fromtimestamp(1795201202, UTC)


@pytest.mark.proves("S4-09", "S4-20")
@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        f"t={STAMP}",
        f"v1={signature(RAW)}",
        f"t={STAMP},v1=",
        f"t={STAMP},v0={signature(RAW)}",
        f"t={STAMP},v1={signature(RAW)[:-1]}0x",
        f"t={STAMP},v1={signature(RAW, FORMER)}",
        f"t={STAMP},v1=é{signature(RAW)}",
        f"t={STAMP + 1},v1={signature(RAW)}",
        f"t={STAMP},t={STAMP + 1},v1={signature(RAW)}",
        f"t=now,v1={signature(RAW, stamp='now')}",
        f"t=-{STAMP},v1={signature(RAW, stamp=-STAMP)}",
        f"t={'9' * 5000},v1={signature(RAW)}",
        f"t={str(STAMP).translate(WIDE)},v1={signature(RAW)}",
        f"{'v1=00,' * 2000}t={STAMP},v1={signature(RAW)}",
    ],
)
def test_a_message_without_a_right_signature_is_forged(header: str) -> None:
    with pytest.raises(ForgedMessage):
        heard(RAW, header)


def test_a_message_without_the_header_is_forged() -> None:
    with pytest.raises(ForgedMessage):
        read_message({}, RAW, secrets=(SECRET,), now=NOW)


def test_without_a_secret_every_message_is_forged() -> None:
    with pytest.raises(ForgedMessage):
        heard(RAW, secrets=())


@unhurried
@given(st.integers(0, len(RAW) - 1), st.integers(1, 255))
def test_a_changed_byte_is_seen(place: int, change: int) -> None:
    changed = bytearray(RAW)
    changed[place] ^= change
    with pytest.raises(ForgedMessage):
        heard(bytes(changed), f"t={STAMP},v1={signature(RAW)}")


def test_the_signature_is_over_the_raw_bytes_and_not_over_what_they_mean() -> None:
    spaced = json.dumps(json.loads(RAW), indent=1).encode()
    with pytest.raises(ForgedMessage):
        heard(spaced, f"t={STAMP},v1={signature(RAW)}")


@pytest.mark.proves("S4-42")
@pytest.mark.parametrize(
    ("seconds", "is_good"), [(-301, False), (-300, True), (0, True), (300, True), (301, False)]
)
def test_a_message_may_be_five_minutes_old_or_early(*, seconds: int, is_good: bool) -> None:
    now = NOW + timedelta(seconds=seconds)
    if is_good:
        assert heard(RAW, now=now)
    else:
        with pytest.raises(ForgedMessage):
            heard(RAW, now=now)


@pytest.mark.proves("S46")
def test_while_a_secret_is_replaced_both_are_good() -> None:
    both = (SECRET, FORMER)
    assert heard(RAW, f"t={STAMP},v1={signature(RAW, FORMER)}", secrets=both)
    assert heard(RAW, f"t={STAMP},v1={signature(RAW)},v1={'0' * 64}", secrets=both)
    rolled = f"t={STAMP},v1={'0' * 64},v1={signature(RAW)},v0={'1' * 64}"
    assert heard(RAW, rolled)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"object": "event"}',
        b'{"object": "event", "id": "evt_1", "type": "x", "created": "1"}',
        b'{"object": "event", "id": "evt_1", "type": "x", "created": 1e999}',
        b'{"object": "event", "id": "evt_1", "type": "x", "created": 99999999999999999}',
        b'{"object": "v2.core.event", "id": "evt_1", "type": "x", "created": 1}',
        b"[" * 100_000,
    ],
)
def test_a_signed_message_that_cannot_be_read_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedMessage):
        heard(raw)


EUR = Money.of(1050, "EUR")
NEWS: dict[str, tuple[Operation, AttemptId | None, Verdict, Money | None]] = {
    "payment_intent_succeeded_sale": (Operation.SALE, PAID_BY, Verdict.SUCCEEDED, EUR),
    "payment_intent_succeeded_capture": (
        Operation.CAPTURE,
        CAPTURED_BY,
        Verdict.SUCCEEDED,
        Money.of(600, "EUR"),
    ),
    "payment_intent_succeeded_by_hand": (Operation.CAPTURE, None, Verdict.SUCCEEDED, EUR),
    "payment_intent_foreign": (Operation.SALE, None, Verdict.SUCCEEDED, EUR),
    "payment_intent_amount_capturable_updated": (
        Operation.AUTHORIZE,
        PAID_BY,
        Verdict.SUCCEEDED,
        EUR,
    ),
    "payment_intent_payment_failed": (Operation.SALE, PAID_BY, Verdict.DECLINED, None),
    "payment_intent_payment_failed_manual": (Operation.AUTHORIZE, PAID_BY, Verdict.DECLINED, None),
    "payment_intent_canceled": (Operation.VOID, None, Verdict.SUCCEEDED, EUR),
    "refund_created": (Operation.REFUND, REFUNDED_BY, Verdict.SUCCEEDED, Money.of(400, "EUR")),
    "refund_updated": (Operation.REFUND, REFUNDED_BY, Verdict.PENDING, None),
    "refund_failed": (Operation.REFUND, REFUNDED_BY, Verdict.DECLINED, None),
    "charge_refund_updated": (
        Operation.REFUND,
        REFUNDED_BY,
        Verdict.SUCCEEDED,
        Money.of(400, "EUR"),
    ),
}
NO_NEWS = {"payment_intent_created", "charge_succeeded", "customer_created"}


def test_every_recorded_event_has_its_meaning_here() -> None:
    assert set(NEWS) | NO_NEWS == {path.stem for path in EVENTS.glob("*.json")}


@pytest.mark.parametrize("name", NEWS)
def test_an_event_tells(name: str) -> None:
    told = news(name)
    assert told is not None
    operation, attempt, verdict, amount = NEWS[name]
    assert (told.operation, told.our_ref, told.payment_ref) == (operation, attempt, PAYMENT)
    assert (told.answer.verdict, told.answer.amount) == (verdict, amount)
    assert told.answer.provider_ref == (REFUND if operation is Operation.REFUND else PAYMENT)


@pytest.mark.parametrize("name", sorted(NO_NEWS))
def test_other_events_are_named_and_tell_nothing(name: str) -> None:
    assert news(name) is None


THINGS = st.dictionaries(
    st.sampled_from(["id", "object", "status", "metadata", "amount", "payment_intent", "currency"]),
    st.none() | st.integers() | st.text() | st.dictionaries(st.text(), st.text()),
)
TOPICS = st.text() | st.sampled_from(
    ["payment_intent.succeeded", "payment_intent.canceled", "refund.created", "refund.failed"]
)


@unhurried
@given(TOPICS.filter(bool), THINGS)
def test_a_strange_event_is_neither_yes_nor_no(topic: str, thing: dict[str, object]) -> None:
    raw = json.dumps(
        {"id": "evt_1", "object": "event", "type": topic, "created": 1, "data": {"object": thing}}
    ).encode()
    told = heard(raw).news
    assert told is None or told.answer.verdict is Verdict.UNKNOWN
