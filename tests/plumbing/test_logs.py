"""Logs: what is secret is hidden at the source, and what is not stays readable."""

import io
import json
import logging

import pytest

from guilder.plumbing import logs


@pytest.mark.proves("I10", "S2-36", "S4-39")
@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("card 4242424242424242 declined", "4242424242424242"),
        ("card 4242 4242 4242 4242", "4242 4242"),
        ("card 4000-0000-0000-0002", "0000-0002"),
        ("amex 378282246310005", "378282246310005"),
        ("key gk_test_cMgcWIo3RROalgWtkdAouqQfA416yg3L5c20 used", "cMgcWIo3"),
        ("sk_live_abcdefgh12345678", "abcdefgh12345678"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8G"),
        ("Authorization: Bearer abc.def.ghi", "abc.def"),
        ("postgresql://guilder:hunter2@db/guilder", "hunter2"),
        ("iban NL91ABNA0417164300 paid", "ABNA0417164300"),
        ("iban DE89 3704 0044 0532 0130 00", "0044 0532"),
    ],
)
def test_secrets_do_not_reach_the_log(text: str, hidden: str) -> None:
    assert hidden not in logs.redact(text)


@pytest.mark.proves("I10")
@pytest.mark.parametrize(
    "text",
    [
        "4242424242424241",
        "pay_01m7xfh060epw9z1n6df2q5pjj",
        "2026-11-20T21:59:12.315686Z",
        "amount 1000000000000000 minor",
        "NL00ABNA0417164300",
    ],
)
def test_ordinary_numbers_and_ids_stay_readable(text: str) -> None:
    assert logs.redact(text) == text


@pytest.mark.proves("I10")
def test_fields_named_like_secrets_are_hidden_whatever_they_hold() -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    kept = root.handlers, root.level
    try:
        logs.set_up(to=stream)
        logs.logger("test").info(
            "told",
            password="hunter2",
            nested={"card_number": "4242", "amount": 5},
            n=4242424242424242,
        )
        logging.getLogger("library").warning("with %s", "sk_test_abcdefgh12345678")
    finally:
        root.handlers, root.level = kept
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert lines[0]["password"] == logs.HIDDEN
    assert lines[0]["nested"] == {"card_number": logs.HIDDEN, "amount": 5}
    assert lines[0]["n"] == "[card]"
    assert "abcdefgh" not in stream.getvalue()
