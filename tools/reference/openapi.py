"""docs/reference/openapi.json: what the API answers at /openapi.json."""

import json

from litestar.testing import TestClient

from guilder.connectors.psp.registry import Providers
from guilder.kernel.clock import Clock
from guilder.payments import public as payments
from guilder.plumbing.db import Database
from guilder.roles.api import build_api
from guilder.roles.parts import Parts
from guilder.roles.settings import read_settings


def render() -> str:
    """The document of an API that has no providers and no database, which it need not know."""
    clock, nowhere, nobody = Clock(), Database(None), Providers({}, {})
    kit = payments.kit(nowhere, nobody, clock)
    app = build_api(Parts(read_settings({}), clock, nowhere, nobody, kit))
    with TestClient(app) as client:
        document = client.get("/openapi.json").raise_for_status().json()
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
