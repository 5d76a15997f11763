"""What merchants refuse."""

from guilder.kernel.errors import Kind, Refusal


class ResellerNotFound(Refusal):
    """The caller has no reseller of this id."""

    code = "reseller_not_found"
    kind = Kind.NOT_FOUND


class MerchantNotFound(Refusal):
    """The caller has no merchant of this id."""

    code = "merchant_not_found"
    kind = Kind.NOT_FOUND


class StoreNotFound(Refusal):
    """The caller has no store of this id."""

    code = "store_not_found"
    kind = Kind.NOT_FOUND


class MerchantSuspended(Refusal):
    """The merchant is suspended, and takes no new payments until it is reinstated."""

    code = "merchant_suspended"
    kind = Kind.FORBIDDEN


class MerchantStatusUnchanged(Refusal):
    """The merchant already has the status that was asked for."""

    code = "merchant_status_unchanged"
    kind = Kind.CONFLICT


class BeyondTenant(Refusal):
    """Only a tenant further up may make this: the platform resellers, a reseller its merchants."""

    code = "beyond_tenant"
    kind = Kind.FORBIDDEN
