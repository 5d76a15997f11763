"""The first reseller, merchant, store and keys of a laptop's installation, made once."""

import os
from pathlib import Path

import msgspec

from guilder.access import public as access
from guilder.kernel.clock import Clock
from guilder.kernel.ids import ResellerId
from guilder.kernel.money import Currency
from guilder.kernel.scope import Scope
from guilder.merchants import public as merchants
from guilder.plumbing.db import Database, Tx

ALL = frozenset(access.SCOPES)
MERCHANTS = ALL - {"platform:admin", "merchants:write"}


class FirstKeys(msgspec.Struct, frozen=True):
    """What a developer needs to begin: who may do everything, and one merchant with its key."""

    platform_key: str
    reseller_id: str
    merchant_id: str
    merchant_key: str


async def first_keys(db: Database, clock: Clock, home: Path) -> FirstKeys:
    """The keys kept in the home folder, or new ones when this database does not know those."""
    file = home / "keys.json"
    if file.exists():
        kept = msgspec.json.decode(file.read_bytes(), type=FirstKeys)
        if await access.authenticate(db, kept.merchant_key) is not None:
            return kept
    made = await _make(db, clock)
    write_privately(file, msgspec.json.format(msgspec.json.encode(made)))
    return made


def write_privately(file: Path, content: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    passing = file.with_suffix(".new")
    descriptor = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
    passing.replace(file)


async def _make(db: Database, clock: Clock) -> FirstKeys:
    now = clock.now()
    everywhere = Scope(is_test=True)
    async with db.transaction() as tx:
        reseller = await merchants.create_reseller(
            tx,
            everywhere,
            merchants.NewReseller(name="First Reseller", country="NL", metadata={}),
            now=now,
        )
        merchant = await merchants.create_merchant(
            tx, everywhere, _first_merchant(reseller.id), by=None, now=now
        )
        platform = await _issue(tx, everywhere, "platform", ALL, clock)
        own = Scope(is_test=True, reseller_id=reseller.id, merchant_id=merchant.id)
        key = await _issue(tx, own, "first merchant", MERCHANTS, clock)
    return FirstKeys(platform, str(reseller.id), str(merchant.id), key)


def _first_merchant(reseller_id: ResellerId) -> merchants.NewMerchant:
    return merchants.NewMerchant(
        name="First Merchant",
        country="NL",
        default_currency=Currency.of("EUR"),
        metadata={},
        reseller_id=reseller_id,
    )


async def _issue(tx: Tx, owner: Scope, name: str, scopes: frozenset[str], clock: Clock) -> str:
    new = access.NewKey(owner=owner, name=name, scopes=scopes, created_by=None)
    _, secret = await access.issue_key(tx, new, now=clock.now())
    return secret.reveal()
