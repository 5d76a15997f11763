"""Standard Webhooks signatures: right ones pass, nothing else does, and nothing raises."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guilder.webhooks.rules.signature import TOLERANCE_SECONDS, secret_of, sign, verify

KEY = b"guilder-test-key-of-32-bytes-ok!"
SECRET = secret_of(KEY)
OTHER_KEY = b"another-key-that-has-32-bytes-ok"
OTHER = secret_of(OTHER_KEY)
SENT = datetime(2024, 11, 20, 19, tzinfo=UTC)
STAMP = "1732129200"
BODY = b'{"type":"payment.captured"}'
RIGHT = "v1,9u1Ie7mlAt241v6vwYYJQtrkQnKqg8JtxJSSGN6G2i0="
"""Made once with OpenSSL: `printf 'evt_01.<STAMP>.<BODY>' | openssl dgst -sha256 -hmac <KEY>`."""

GOOD = {"webhook-id": "evt_01", "webhook-timestamp": STAMP, "webhook-signature": RIGHT}


def seal(
    message_id: str = "evt_01", stamp: str = STAMP, body: bytes = BODY, key: bytes = KEY
) -> str:
    """The signature as the standard describes it, by hand."""
    content = message_id.encode() + b"." + stamp.encode() + b"." + body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


@pytest.mark.proves("S15")
def test_our_signature_is_the_one_that_openssl_makes() -> None:
    assert sign([SECRET], "evt_01", SENT, BODY) == GOOD
    assert seal() == RIGHT
    assert verify([SECRET], GOOD, BODY, SENT)


@pytest.mark.proves("S15", "S46")
def test_during_a_rotation_both_secrets_sign_and_either_receiver_is_content() -> None:
    headers = sign([SECRET, OTHER], "evt_01", SENT, BODY)
    assert headers["webhook-signature"] == f"{RIGHT} {seal(key=OTHER_KEY)}"
    for known in ([SECRET], [OTHER], [OTHER, SECRET]):
        assert verify(known, headers, BODY, SENT)
    assert verify([OTHER, SECRET], GOOD, BODY, SENT)


ACCEPTED: dict[str, dict[str, str]] = {
    "names in any case": {name.title(): value for name, value in GOOD.items()},
    "a wrong signature before the right one": {
        **GOOD,
        "webhook-signature": f"{seal(key=OTHER_KEY)} {RIGHT}",
    },
    "a wrong signature after the right one": {
        **GOOD,
        "webhook-signature": f"{RIGHT} {seal(key=OTHER_KEY)}",
    },
    "a signature of a scheme we do not know": {
        **GOOD,
        "webhook-signature": f"v1a,abc {RIGHT}",
    },
    "a malformed signature beside it": {**GOOD, "webhook-signature": f"v1, , x,y {RIGHT}"},
    "other headers": {**GOOD, "content-type": "application/json"},
}


@pytest.mark.parametrize("why", ACCEPTED)
def test_a_right_signature_is_found_among(why: str) -> None:
    assert verify([SECRET], ACCEPTED[why], BODY, SENT)


@pytest.mark.proves("S15", "S4-42")
@pytest.mark.parametrize(
    ("seconds", "right"),
    [
        (0, True),
        (TOLERANCE_SECONDS, True),
        (-TOLERANCE_SECONDS, True),
        (TOLERANCE_SECONDS + 1, False),
        (-TOLERANCE_SECONDS - 1, False),
        (86_400, False),
    ],
)
def test_a_message_is_good_for_five_minutes_either_way(seconds: int, *, right: bool) -> None:
    assert verify([SECRET], GOOD, BODY, SENT + timedelta(seconds=seconds)) is right


RAW = RIGHT.removeprefix("v1,")
DIGEST = base64.b64decode(RAW)
SIGNATURES = {
    "no signature": "",
    "blank": "   ",
    "commas": ",,,",
    "no version": RAW,
    "version alone": "v1,",
    "version without comma": "v1",
    "upper-case version": f"V1,{RAW}",
    "version 0": f"v0,{RAW}",
    "version 1a": f"v1a,{RAW}",
    "version 2": f"v2,{RAW}",
    "hex": "v1," + DIGEST.hex(),
    "not base64": "v1,!!!!",
    "bad padding": f"v1,{RAW.rstrip('=')}",
    "more padding": f"v1,{RAW}=",
    "url-safe alphabet": "v1," + RAW.replace("+", "-").replace("/", "_").replace("u", "-"),
    "truncated": RIGHT[:-5],
    "one byte short": "v1," + base64.b64encode(DIGEST[:-1]).decode(),
    "one byte long": "v1," + base64.b64encode(DIGEST + b"\0").decode(),
    "first bit": "v1," + base64.b64encode(bytes([DIGEST[0] ^ 1]) + DIGEST[1:]).decode(),
    "last bit": "v1," + base64.b64encode(DIGEST[:-1] + bytes([DIGEST[-1] ^ 1])).decode(),
    "upper case": RIGHT.upper(),
    "trailing newline": RIGHT + "\n",
    "leading tab": "\t" + RIGHT,
    "comma separated": f"{RIGHT},{RIGHT}",
    "semicolon": f"{RIGHT};",
    "quoted": f'"{RIGHT}"',
    "space after comma": f"v1, {RAW}",
    "zero bytes": "v1," + base64.b64encode(bytes(32)).decode(),
    "unicode": "v1,ünïcödé",
    "surrogate": "v1,\udc80",
    "emoji": "v1,\N{LOCK}",
    "sha1": "v1," + base64.b64encode(hmac.digest(KEY, BODY, "sha1")).decode(),
    "body alone signed": "v1," + base64.b64encode(hmac.digest(KEY, BODY, "sha256")).decode(),
    "no key": "v1," + base64.b64encode(hashlib.sha256(BODY).digest()).decode(),
    "empty key": seal(key=b""),
    "the text of the secret as key": seal(key=SECRET.encode()),
    "another tenant's secret": seal(key=OTHER_KEY),
    "signed for another id": seal(message_id="evt_02"),
    "signed for another time": seal(stamp="1732129201"),
    "signed for another body": seal(body=b'{"type":"payment.refunded"}'),
    "the right one after seventeen wrong": " ".join(["v1,x"] * 17 + [RIGHT]),
}
STAMPS = {
    "no time": "",
    "a word": "now",
    "negative": "-" + STAMP,
    "signed plus": "+" + STAMP,
    "fraction": STAMP + ".0",
    "exponent": "1.732e9",
    "hex": hex(int(STAMP)),
    "spaces": f" {STAMP}",
    "underscore": "1732_129_200",
    "milliseconds": STAMP + "000",
    "leading zero": "0" + STAMP,
    "huge": "9" * 400,
    "arabic digits": "١٧٣٢١٢٩٢٠٠",
    "full-width digits": "１７３２１２９２００",
    "infinity": "inf",
    "nan": "nan",
    "epoch": "0",
    "a second later": str(int(STAMP) + 1),
}
IDS = {
    "no id": "",
    "another id": "evt_02",
    "id with a space": "evt_01 ",
    "id in upper case": "EVT_01",
    "id that swallows the time": f"evt_01.{STAMP}",
    "id with a dot": "evt.01",
}
BODIES = {
    "empty body": b"",
    "re-encoded": b'{"type": "payment.captured"}',
    "newline at the end": BODY + b"\n",
    "byte order mark": b"\xef\xbb\xbf" + BODY,
    "one letter": BODY.replace(b"captured", b"capturee"),
    "another's body": b'{"type":"payment.refunded"}',
    "escaped letter": b'{"type":"payment\\u002ecaptured"}',
    "doubled": BODY + BODY,
    "truncated body": BODY[:-1],
}


def forgeries() -> list[tuple[str, dict[str, str], bytes]]:
    """Headers and bodies nobody signed, each with what is wrong about it."""
    found = [
        (f"{header}: {why}", {**GOOD, header: text}, BODY)
        for header, texts in (
            ("webhook-signature", SIGNATURES),
            ("webhook-timestamp", STAMPS),
            ("webhook-id", IDS),
        )
        for why, text in texts.items()
    ]
    found += [(f"body: {why}", GOOD, body) for why, body in BODIES.items()]
    for name in GOOD:
        rest = {other: value for other, value in GOOD.items() if other != name}
        found.append((f"without {name}", rest, BODY))
    swallowed = {**GOOD, "webhook-id": "evt.1", "webhook-signature": seal("evt.1")}
    return [*found, ("nothing at all", {}, BODY), ("an id with a dot, signed", swallowed, BODY)]


FORGERIES = forgeries()


@pytest.mark.proves("S15")
@pytest.mark.parametrize("forgery", FORGERIES, ids=[why for why, _, _ in FORGERIES])
def test_a_forgery_is_refused_without_an_exception(
    forgery: tuple[str, dict[str, str], bytes],
) -> None:
    _, headers, body = forgery
    assert verify([SECRET], headers, body, SENT) is False


def test_there_are_forgeries_enough() -> None:
    assert len(FORGERIES) >= 75


@pytest.mark.proves("S15")
@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "whsec",
        "whsec_!!!!",
        SECRET.removeprefix("whsec_"),
        "WHSEC_" + SECRET[6:],
        SECRET + "\n",
        SECRET[:-1],
        "whsec_" + base64.b64encode(b"short").decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
        "whsec_\N{LOCK}",
    ],
)
def test_a_secret_that_is_none_verifies_nothing(secret: str) -> None:
    assert verify([secret], GOOD, BODY, SENT) is False
    assert verify([], GOOD, BODY, SENT) is False
    signed_with_nothing = {**GOOD, "webhook-signature": seal(key=b"")}
    assert verify([secret], signed_with_nothing, BODY, SENT) is False


@pytest.mark.proves("S15")
@given(
    headers=st.dictionaries(st.sampled_from([*GOOD, "Webhook-Id"]), st.text(max_size=60)),
    body=st.binary(max_size=60),
)
def test_no_junk_is_ever_right_or_an_exception(headers: dict[str, str], body: bytes) -> None:
    assert verify([SECRET], headers, body, SENT) is False


@given(body=st.binary(max_size=200), key=st.binary(min_size=24, max_size=64))
def test_what_is_signed_is_verified(body: bytes, key: bytes) -> None:
    headers = sign([secret_of(key)], "evt_01", SENT, body)
    assert verify([secret_of(key)], headers, body, SENT)
    assert not verify([secret_of(key)], headers, body + b"x", SENT)
