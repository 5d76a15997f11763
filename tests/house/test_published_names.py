"""What we publish has one name each: refusals' codes, events' topics."""

import re
from collections import Counter

import pytest
from tools.reference import errors, events
from tools.reference.tree import load

from guilder.edge.problems import STATUS
from guilder.kernel.errors import Kind

CODE = re.compile(r"[a-z]+(_[a-z0-9]+)*")
TOPIC = re.compile(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*")
PLATFORM = load("guilder")


def test_no_two_refusals_share_a_code() -> None:
    codes = Counter(refusal.code for refusal in errors.refusals(PLATFORM))
    assert codes
    assert [code for code, count in codes.items() if count > 1] == []


@pytest.mark.parametrize("refusal", errors.refusals(PLATFORM), ids=lambda refusal: refusal.code)
def test_a_refusal_says_what_it_means(refusal: type) -> None:
    assert CODE.fullmatch(vars(refusal)["code"])
    assert isinstance(getattr(refusal, "kind", None), Kind), "a refusal has a kind"
    assert refusal.__doc__, "the first line of its docstring is its published meaning"


def test_every_kind_of_refusal_has_a_status() -> None:
    assert set(STATUS) == set(Kind)
    assert all(400 <= status < 600 for status in STATUS.values())


def test_no_two_events_share_a_topic_and_version() -> None:
    names = Counter((events.topic(event), events.version(event)) for event in _events())
    assert [name for name, count in names.items() if count > 1] == []


def test_a_topic_is_a_noun_and_what_happened_to_it() -> None:
    assert all(TOPIC.fullmatch(events.topic(event)) for event in _events())
    assert all(events.version(event) >= 1 for event in _events())


def _events() -> list[type]:
    return events.events(PLATFORM)
