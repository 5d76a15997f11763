"""Who is calling: the key, whose rows it may see, and what it may do with them."""

from dataclasses import dataclass
from uuid import UUID

from guilder.kernel.ids import PLATFORM, ApiKeyId
from guilder.kernel.scope import Scope


@dataclass(frozen=True, slots=True)
class Caller:
    """The holder of an API key: `scope` is whose rows, `scopes` are the words of what may be done.

    `scope.is_test` is the wall: a test key sees and makes only what is test, a live key only live.
    """

    key_id: ApiKeyId
    scope: Scope
    scopes: frozenset[str]

    @property
    def tenant_id(self) -> UUID:
        """The nearest tenant: the merchant's id, else the reseller's, else the platform's."""
        owner = self.scope.merchant_id or self.scope.reseller_id or PLATFORM
        return owner.value
