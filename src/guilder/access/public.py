"""The front door of access: admit tenants, issue keys, tell who presents one."""

from guilder.access.actions import KeyRing, admit_tenant, authenticate, issue_key
from guilder.access.model import SCOPES, ApiKey, NewKey, Principal, Tenant

__all__ = [
    "SCOPES",
    "ApiKey",
    "KeyRing",
    "NewKey",
    "Principal",
    "Tenant",
    "admit_tenant",
    "authenticate",
    "issue_key",
]
