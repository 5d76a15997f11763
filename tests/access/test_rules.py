"""A key has a form that scanners find, mistyping breaks, and guessing does not reach."""

import hashlib
import string
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guilder.access import rules
from guilder.kernel.secret import Secret

randoms = st.text(rules.ALPHABET, min_size=30, max_size=30)


def test_a_key_says_its_side_and_ends_in_its_checksum() -> None:
    key = rules.compose("A" * 30, is_test=True).reveal()
    assert key.startswith("gk_test_" + "A" * 30)
    assert len(key) == 8 + 30 + 6
    number = 0
    for letter in key[-6:]:
        number = number * 62 + rules.ALPHABET.index(letter)
    assert number == crc32(b"gk_test_" + b"A" * 30)


def test_there_is_more_chance_in_a_key_than_in_a_uuid() -> None:
    assert len(set(rules.ALPHABET)) ** rules.RANDOM_LENGTH > 2**128
    assert set(rules.ALPHABET) == set(string.digits + string.ascii_letters)


@given(randoms, st.booleans())
def test_every_key_that_is_made_is_well_formed(random: str, is_test: bool) -> None:  # noqa: FBT001
    assert rules.is_well_formed(rules.compose(random, is_test=is_test).reveal())


@given(randoms, st.integers(min_value=8, max_value=43), st.sampled_from(rules.ALPHABET))
def test_one_mistyped_letter_is_noticed(random: str, place: int, letter: str) -> None:
    key = rules.compose(random, is_test=True).reveal()
    mistyped = key[:place] + letter + key[place + 1 :]
    assert rules.is_well_formed(mistyped) == (mistyped == key)


@given(randoms)
def test_a_key_of_one_side_is_none_of_the_other(random: str) -> None:
    key = rules.compose(random, is_test=True).reveal()
    assert not rules.is_well_formed(key.replace("gk_test_", "gk_live_"))


@pytest.mark.parametrize(
    "presented",
    ["", "gk_test_", "sk_test_" + "A" * 36, "gk_test_" + "A" * 36, "gk_test_" + "é" * 36],
)
def test_what_is_no_key_is_known_without_asking_anyone(presented: str) -> None:
    assert not rules.is_well_formed(presented)


def test_a_key_followed_by_anything_is_no_key() -> None:
    key = rules.compose("A" * 30, is_test=True).reveal()
    for presented in (key + "\n", key + "A", " " + key, key.upper(), key[:-1]):
        assert not rules.is_well_formed(presented)


def test_what_is_kept_of_a_key_is_its_sha_256() -> None:
    key = Secret("gk_test_x")
    assert rules.digest(key) == hashlib.sha256(b"gk_test_x").digest()
