"""What access refuses."""

from guilder.kernel.errors import Kind, Refusal


class ApiKeyNotFound(Refusal):
    """None of the caller's API keys has this id."""

    code = "api_key_not_found"
    kind = Kind.NOT_FOUND


class TenantNotFound(Refusal):
    """None of the caller's resellers or merchants has this id."""

    code = "tenant_not_found"
    kind = Kind.NOT_FOUND


class UnknownScope(Refusal):
    """There is no scope of this name; the message lists those there are."""

    code = "unknown_scope"
    kind = Kind.UNPROCESSABLE


class ScopeNotHeld(Refusal):
    """A key cannot give to another key what it may not do itself."""

    code = "scope_not_held"
    kind = Kind.FORBIDDEN
