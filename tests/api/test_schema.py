"""The running API does what its document says: schemathesis finds nothing, at any endpoint."""

import asyncio
import json
import random
import secrets
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.books import ours_against_provider, provider_against_ours, read_ours
from tests.journeys.caller import Caller
from tests.journeys.outside import Outside
from tests.journeys.receiver import listening
from tests.journeys.solo import Solo, running_solo

pytestmark = pytest.mark.xdist_group("schema")

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
REVOKING = "access.revoke_api_key"  # It would revoke the very key that the others are asked with.
UNCHECKED = "positive_data_acceptance"  # Keys are reused and states refuse, with reason.
KEYS = 2000
EXAMPLES = [
    pytest.param(15, id="15 examples"),
    pytest.param(300, id="300 examples", marks=pytest.mark.full),
]


@pytest.fixture(scope="module")
def solo(tmp_path_factory: pytest.TempPathFactory) -> Generator[Solo]:
    """A platform of its own: nobody keeps a journal of what is sent here."""
    with running_solo(tmp_path_factory.mktemp("schema") / "home") as running:
        yield running


@pytest.mark.proves("S0-01", "S0-33", "S4-28", "S4-30", "S38", "I2")
@pytest.mark.parametrize("examples", EXAMPLES)
async def test_the_document_tells_the_truth_about_every_endpoint(
    platform: Caller, outside: Outside, solo: Solo, tmp_path: Path, examples: int
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    config = tmp_path / "schemathesis.toml"
    config.write_text(_configuration(await _things(platform)))
    wanted = ("--max-examples", str(examples), "--seed", str(seed))
    others = ("--exclude-operation-id", REVOKING)
    await asyncio.to_thread(_fuzz, solo, config, *wanted, *others)
    assert (await platform.get("/v1/merchants")).status == 200, "the key was good all the time"
    assert await asyncio.to_thread(solo.verify) == (0, [])
    ours, theirs = await read_ours(platform), await outside.book()
    assert [*ours_against_provider(ours, theirs), *provider_against_ours(theirs, ours)] == []

    await asyncio.to_thread(_fuzz, solo, config, *wanted, "--include-operation-id", REVOKING)


def _fuzz(solo: Solo, config: Path, *options: str) -> None:
    """Run it; fails with everything it says when it finds anything."""
    done = subprocess.run(
        [
            *(SCHEMATHESIS, "--config-file", config, "--no-color"),
            *("run", f"{solo.ready.api}/openapi.json"),
            *("--header", f"Authorization: Bearer {solo.ready.platform_key}"),
            *("--checks", "all", "--exclude-checks", UNCHECKED, "--continue-on-failure"),
            *("--workers", "2", "--request-timeout", "30", *options),
        ],
        cwd=config.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout[-600:])
    assert done.returncode == 0, done.stdout + done.stderr


async def _things(platform: Caller) -> dict[str, list[str]]:
    """Something of every kind, so that the document's paths lead somewhere; ids by parameter."""
    merchant, shut = [await _made(platform, "merchants", **MERCHANT) for _ in range(2)]
    of = {"merchant_id": merchant["id"]}
    async with listening() as receiver:
        hook = {"url": receiver.url, "topics": ["*"], **of}
        endpoints = [await _made(platform, "webhook-endpoints", **hook) for _ in range(10)]
        paid = [(await platform.pay(10_00, **of)).json["id"] for _ in range(5)]
        held = [(await platform.pay(10_00, capture_method="manual", **of)).json for _ in range(5)]
        refund = await platform.post(f"/v1/payments/{paid[0]}/refund", {"amount_minor": 1})
        await receiver.next()
    deliveries = (await platform.get("/v1/webhook-deliveries")).json["data"]
    return {
        "path.payment_id": [*paid, *(one["id"] for one in held)],
        "path.refund_id": [refund.json["id"]],
        "path.merchant_id": [shut["id"]],
        "path.store_id": [(await _made(platform, "stores", name="A", country="NL", **of))["id"]],
        "path.reseller_id": [(await _made(platform, "resellers", name="B", country="NL"))["id"]],
        "path.api_key_id": [(await _made(platform, "api-keys", **KEY))["id"] for _ in range(5)],
        "path.account_id": [one["id"] async for one in platform.walk("/v1/ledger/accounts")],
        "path.endpoint_id": [one["id"] for one in endpoints],
        "path.delivery_id": [one["id"] for one in deliveries],
        "path.provider": ["stripe"],
        "body.merchant_id": [merchant["id"]],
        "header.Idempotency-Key": [secrets.token_hex(8) for _ in range(KEYS)],
    }


KEY = {"name": "to be revoked", "scopes": ["payments:read"]}
MERCHANT = {"name": "Fuzzed", "country": "NL", "default_currency": "EUR"}


async def _made(platform: Caller, what: str, **body: Any) -> dict[str, Any]:
    came = await platform.post(f"/v1/{what}", body)
    assert came.status == 201, came.body
    return came.json


def _configuration(things: dict[str, list[str]]) -> str:
    """Half of the ids that are tried exist; nearly all keys are new."""
    lines: list[str] = []
    for number, values in enumerate(things.values()):
        lines += [f"[dictionaries.things{number}]", f"values = {json.dumps(values)}"]
    lines.append("[parameters]")
    for number, name in enumerate(things):
        probability = "0.95" if name.startswith("header.") else "0.5"
        binding = f'{{ dictionary = "things{number}", probability = {probability} }}'
        lines.append(f'"{name}" = {binding}')
    return "\n".join(lines) + "\n"
