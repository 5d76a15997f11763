"""The form of a key: prefix, mode, 178 random bits, and a checksum that catches mistyping."""

import hashlib
import hmac
import re
from zlib import crc32

from guilder.kernel.secret import Secret

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
RANDOM_LENGTH = 30  # 62 ** 30 is more than 2 ** 178.
CHECKSUM_LENGTH = 6  # 62 ** 6 is more than 2 ** 32.
ENDING_LENGTH = 4

_FORM = re.compile(rf"gk_(?:test|live)_[0-9A-Za-z]{{{RANDOM_LENGTH + CHECKSUM_LENGTH}}}")


def compose(random: str, *, is_test: bool) -> Secret:
    """The key of these random letters, e.g. `gk_test_…`; the last six are the checksum."""
    assert len(random) == RANDOM_LENGTH, "the randomness of a key is not negotiable"
    rest = f"gk_{'test' if is_test else 'live'}_{random}"
    return Secret(rest + checksum(rest))


def is_well_formed(presented: str) -> bool:
    """Whether this can be a key of ours; what cannot is not worth asking the database about."""
    if not _FORM.fullmatch(presented):
        return False
    rest, given = presented[:-CHECKSUM_LENGTH], presented[-CHECKSUM_LENGTH:]
    return hmac.compare_digest(checksum(rest), given)


def checksum(rest: str) -> str:
    """CRC-32 (ISO 3309) of all that stands before it, in base 62, most significant first."""
    number = crc32(rest.encode())
    letters: list[str] = []
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[digit])
    return "".join(reversed(letters))


def digest(key: Secret) -> bytes:
    """SHA-256 of the key: enough, because a key has too many bits to be guessed."""
    return hashlib.sha256(key.reveal().encode()).digest()


def ending(key: Secret) -> str:
    """The last letters, by which people tell their keys apart."""
    return key.reveal()[-ENDING_LENGTH:]
