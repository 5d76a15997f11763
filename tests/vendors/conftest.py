"""Keys of vendors come from the command line; without a key, its tests are not collected."""

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--stripe-key", help="a secret key of Stripe's test mode, sk_test_…")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """True leaves a path out; None leaves the decision to others."""
    is_stripe = collection_path.name == "stripe" and collection_path.parent.name == "vendors"
    return True if is_stripe and not config.getoption("--stripe-key", default=None) else None


@pytest.fixture
def stripe_key(request: pytest.FixtureRequest) -> str:
    """The key that was given; a live one is not used for tests."""
    key = request.config.getoption("--stripe-key")
    assert isinstance(key, str)
    assert key.startswith(("sk_test_", "rk_test_")), "only a key of test mode is used here"
    return key
