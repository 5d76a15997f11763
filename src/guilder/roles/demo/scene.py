"""Who takes part in a run: a reseller, its merchants with their keys, and their endpoints."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from guilder.roles.demo.caller import Caller
from guilder.roles.demo.orders import Order
from guilder.roles.demo.receiver import Receiver
from guilder.roles.demo.views import Endpoints, Made

SCOPES = [
    "merchants:read",
    "payments:read",
    "payments:write",
    "refunds:write",
    "webhooks:read",
    "webhooks:write",
]
TOPICS = [
    "payment.authorized",
    "payment.captured",
    "payment.declined",
    "payment.failed",
    "payment.operation_refused",
    "payment.overtaken",
    "payment.refund_failed",
    "payment.refunded",
    "payment.voided",
]


@dataclass(frozen=True, slots=True)
class Merchant:
    """A merchant of the run, with the key its systems call with."""

    name: str
    id: str
    key: str


class SceneMaker:
    """Makes what a run needs, under keys of that run: what is already there is found again.

    Secrets are shown once and kept nowhere, so each sitting makes itself new API keys, and has
    the signing secret of an endpoint that it finds again rotated.
    """

    def __init__(self, caller: Caller, *, run: str, platform_key: str) -> None:
        self._caller = caller
        self._run = run
        self._platform = platform_key
        self._sitting = secrets.token_hex(3)

    async def merchants(self, orders: Sequence[Order]) -> dict[str, Merchant]:
        """The merchants that the orders name, under one reseller."""
        reseller = await self._make(
            "/v1/resellers", {"name": f"Demo {self._run}", "country": "NL"}, "reseller"
        )
        currencies = {order.merchant: order.amount.currency.code for order in reversed(orders)}
        made: dict[str, Merchant] = {}
        for number, name in enumerate(sorted(currencies), start=1):
            order = {
                "name": name,
                "country": "NL",
                "default_currency": currencies[name],
                "reseller_id": reseller.id,
            }
            merchant = await self._make("/v1/merchants", order, f"merchant-{number}")
            made[name] = Merchant(name, merchant.id, await self._key(merchant.id, number))
        return made

    async def endpoints(self, merchants: Sequence[Merchant], receiver: Receiver) -> None:
        """An endpoint for each merchant at the receiver, which learns the signing secrets."""
        for merchant in merchants:
            name = f"{merchant.id}-{receiver.port}"
            order = {"url": receiver.url(merchant.id), "topics": TOPICS}
            endpoint = await self._caller.make(
                "/v1/webhook-endpoints",
                order,
                Made,
                key=f"{self._run}:endpoint:{name}",
                bearer=merchant.key,
            )
            if endpoint.secret is None:
                endpoint = await self._caller.make(
                    f"/v1/webhook-endpoints/{endpoint.id}/rotate-secret",
                    {},
                    Made,
                    key=f"{self._run}:rotate:{name}:{self._sitting}",
                    bearer=merchant.key,
                )
            assert endpoint.secret is not None, "a fresh secret is shown"
            receiver.secrets[merchant.id] = [endpoint.secret]

    async def close_endpoints(self, merchants: Sequence[Merchant]) -> None:
        """The merchants' systems go home: nothing is to be sent to their port any more."""
        for merchant in merchants:
            path = "/v1/webhook-endpoints"
            page = await self._caller.look(f"{path}?limit=100", Endpoints, bearer=merchant.key)
            for endpoint in page.data:
                await self._caller.delete(f"{path}/{endpoint.id}", bearer=merchant.key)

    async def _key(self, merchant_id: str, number: int) -> str:
        """A key for this sitting; one whose answer was lost is known to nobody: so another."""
        for attempt in range(3):
            order = {"name": "the demo's till", "scopes": SCOPES, "merchant_id": merchant_id}
            made = await self._make(
                "/v1/api-keys", order, f"key-{number}:{self._sitting}:{attempt}"
            )
            if made.secret is not None:
                return made.secret
        raise AssertionError("three fresh keys were answered by replays")

    async def _make(self, path: str, order: object, name: str) -> Made:
        return await self._caller.make(
            path, order, Made, key=f"{self._run}:{name}", bearer=self._platform
        )
