"""An endpoint can ask for whatever is announced, and for nothing else."""

from importlib import import_module
from types import ModuleType

import pytest

from guilder.webhooks.actions.create_endpoint import PLATFORM_TOPICS, TOPICS, announced_topics
from guilder.webhooks.errors import WebhookTopicsRefused
from tests.house.tree import SOURCE
from tests.webhooks.conftest import Post

URL = "http://127.0.0.1:9/"


def doors() -> list[ModuleType]:
    """The `events` module of every context that has one."""
    return [
        import_module(f"guilder.{path.parent.name}.events")
        for path in sorted(SOURCE.glob("*/events.py"))
    ]


def test_what_is_announced_can_be_asked_for() -> None:
    assert announced_topics(*doors()) - PLATFORM_TOPICS == TOPICS
    assert "payment.captured" in TOPICS
    assert "webhook_endpoint.disabled" in TOPICS


@pytest.mark.parametrize(
    "topics",
    [
        ("payment.captured", "payment.captured"),
        ("payment.*",),
        ("*", "payment.captured"),
        ("*", "*"),
        ("payment.capture",),
        ("PAYMENT.CAPTURED",),
        ("reseller.created",),
        (" payment.captured",),
        ("",),
    ],
)
async def test_a_topic_that_nobody_announces_is_refused(
    post: Post, topics: tuple[str, ...]
) -> None:
    with pytest.raises(WebhookTopicsRefused) as refused:
        await post.listen(URL, *topics)
    assert refused.value.param == "topics"
