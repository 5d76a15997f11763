"""What a tenant and an API key are, and every scope there is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from guilder.kernel.ids import ApiKeyId, MerchantId, ResellerId
from guilder.kernel.scope import Scope

SCOPES: Mapping[str, str] = {
    "keys:read": "List API keys.",
    "keys:write": "Create and revoke API keys, with at most the creator's own scopes.",
    "ledger:read": "Read accounts, entries and balances.",
    "merchants:read": "Read resellers, merchants and stores.",
    "merchants:write": "Create resellers, merchants and stores; suspend and reinstate merchants.",
    "payments:read": "Read payments and their trails.",
    "payments:write": "Create, capture and void payments.",
    "platform:admin": "Operate the installation: test helpers, replays and repairs.",
    "refunds:write": "Refund payments.",
    "webhooks:read": "Read webhook endpoints and deliveries.",
    "webhooks:write": "Create and change webhook endpoints, and send deliveries again.",
}
"""Each word of what may be done, with its meaning; endpoints name these words."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A reseller or a merchant as access knows it: which side of the wall, and below whom."""

    id: ResellerId | MerchantId
    is_test: bool
    reseller_id: ResellerId | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to be issued to a tenant, named by `owner`; `created_by` is the key that asked."""

    owner: Scope
    name: str
    scopes: frozenset[str]
    created_by: ApiKeyId | None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is kept of a key: everything but the key; `ending` is its last four letters."""

    id: ApiKeyId
    owner: Scope
    name: str
    ending: str
    scopes: frozenset[str]
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Principal:
    """Who presented a good key: whose rows they may see, and what they may do with them."""

    key_id: ApiKeyId
    scope: Scope
    scopes: frozenset[str]
