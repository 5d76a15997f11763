"""What is asked of access over HTTP, and how keys are shown."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from guilder.access.model import SCOPES, ApiKey
from guilder.kernel.clock import rfc3339
from guilder.kernel.ids import ApiKeyId, MerchantId, ResellerId
from guilder.kernel.secret import Secret

Instant = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
Word = Annotated[str, Meta(extra_json_schema={"enum": sorted(SCOPES)})]


class CreateApiKeyRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key for the caller's own tenant, or for a reseller or merchant below it."""

    name: Annotated[
        str,
        Meta(min_length=1, max_length=200, description="What the key is for.", examples=["till 4"]),
    ]
    scopes: Annotated[
        list[Word],
        Meta(
            min_length=1,
            max_length=50,
            description="What the key may do: at most what the caller may.",
            examples=[["payments:read", "payments:write"]],
        ),
    ]
    reseller_id: ResellerId | None = None
    merchant_id: MerchantId | None = None


class ApiKeyView(msgspec.Struct, frozen=True):
    """An API key; the key itself is in `secret`, in the answer that creates it and never again."""

    object: Literal["api_key"]
    id: ApiKeyId
    livemode: bool
    name: str
    ending: Annotated[str, Meta(description="The last four letters of the key.")]
    scopes: list[str]
    reseller_id: ResellerId | None
    merchant_id: MerchantId | None
    created_at: Instant
    revoked_at: Instant | None
    secret: Annotated[
        str | None,
        Meta(description="The key. Only in the first answer; a replay has null here."),
    ]

    @classmethod
    def of(cls, key: ApiKey, *, secret: Secret | None = None) -> "ApiKeyView":
        """The key's record, with the key where it was issued this very moment."""
        return cls(
            object="api_key",
            id=key.id,
            livemode=not key.owner.is_test,
            name=key.name,
            ending=key.ending,
            scopes=sorted(key.scopes),
            reseller_id=key.owner.reseller_id,
            merchant_id=key.owner.merchant_id,
            created_at=rfc3339(key.created_at),
            revoked_at=rfc3339(key.revoked_at) if key.revoked_at else None,
            secret=secret.reveal() if secret else None,
        )
