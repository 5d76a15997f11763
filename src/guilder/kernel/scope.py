"""Whose rows a caller may see: the first argument of every query after the transaction."""

from dataclasses import dataclass

from guilder.kernel.ids import MerchantId, ResellerId


@dataclass(frozen=True, slots=True)
class Scope:
    """One side of the wall between test and live, and within it a reseller's or merchant's part.

    Both ids `None` is the platform itself, which sees all tenants of that side.
    """

    is_test: bool
    reseller_id: ResellerId | None = None
    merchant_id: MerchantId | None = None
