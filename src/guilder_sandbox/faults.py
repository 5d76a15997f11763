"""Which request shall go wrong, and how: rules, decided the same way for the same seed."""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Literal, TypeAlias, get_args

import msgspec

from guilder_sandbox.store import Store

Fault: TypeAlias = Literal[
    "answer_late",  # the answer comes after delay_ms
    "never_answer",  # the connection is held in silence, then closed
    "reset",  # the connection is reset
    "close",  # the connection is closed without an answer
    "status_429",
    "status_500",
    "status_500_remembered",  # and the same 500 again for the same idempotency key
    "status_502_html",
    "status_503",
    "garbage",  # 200 with bytes that are no JSON
    "truncated",  # the answer breaks off in the middle
    "lie",  # a well-formed answer in which the fields of `say` are not the truth
    "kill_caller",  # SIGKILL to the process `pid`
    "lenient",  # captures, refunds and cancels are accepted beyond every limit
    "stale",  # search does not yet find what is younger than delay_ms
]
When: TypeAlias = Literal["before_booking", "after_booking", "after_answer"]
Operation: TypeAlias = Literal[
    "create", "confirm", "capture", "cancel", "refund", "retrieve", "list", "search", "*"
]

SCHEMA = """
create table if not exists fault (seq integer primary key, rule text not null) strict;
create table if not exists spent (mark text primary key) strict;
"""
PUT_RULE = "insert or replace into fault (seq, rule) values (?, ?)"
DROP_RULE = "delete from fault where seq = ?"
PUT_SPENT = "insert or ignore into spent (mark) values (?)"
DEED_FAULTS = frozenset({"lenient", "stale"})  # These change what is done, not what is answered.


class Match(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Which requests a rule is about; what is left out matches everything."""

    operation: Operation = "*"
    metadata: dict[str, str] | None = None
    payment_method: str | None = None
    amount: int | None = None


class Rule(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A fault to play: `times` at most, with `probability` per cent, by `seed`."""

    fault: Fault
    match: Match = msgspec.field(default_factory=Match)
    when: When = "after_booking"
    delay_ms: int = 0
    times: int | None = None
    probability: int = 100
    seed: int = 0
    pid: int | None = None
    say: dict[str, str | int | bool | None] | None = None
    id: int = 0
    seen: int = 0
    fired: int = 0


class Facts(msgspec.Struct):
    """What a request is about, in the words that rules use."""

    operation: str
    metadata: Mapping[str, str]
    payment_method: str | None
    amount: int | None
    mark: str | None = None


def trouble_with(rule: Rule) -> str | None:
    """Why the rule cannot be played, or None."""
    checks = (
        (rule.fault != "kill_caller" or (rule.pid or 0) > 1, "kill_caller needs a pid above 1"),
        (rule.fault != "lie" or bool(rule.say), "lie needs `say`, the fields to be wrong"),
        (rule.fault not in {"answer_late", "stale"} or rule.delay_ms > 0, "delay_ms is needed"),
        (0 <= rule.probability <= 100, "probability is a whole per cent from 0 to 100"),
        (rule.delay_ms >= 0, "delay_ms is zero or more"),
        (rule.times is None or rule.times > 0, "times is one or more"),
        (
            rule.when != "after_answer" or rule.fault == "kill_caller",
            "after_answer is for kill_caller only: the answer has gone",
        ),
        (
            rule.when != "before_booking" or rule.fault not in {"lie", "status_500_remembered"},
            "this fault is about an answer, which exists only after_booking",
        ),
    )
    return next((why for holds, why in checks if not holds), None)


def parse_magic(text: str) -> Rule | None:
    """A rule written in metadata: fault_when, or fault_when_milliseconds; None if it is none.

    For example never_answer_after_booking, or answer_late_before_booking_1500.
    """
    words, _, last = text.rpartition("_")
    delay_ms = 0
    if last.isascii() and last.isdigit():
        delay_ms, text = int(last), words
    for fault in get_args(Fault):
        for when in get_args(When):
            if text == f"{fault}_{when}":
                rule = Rule(fault=fault, when=when, delay_ms=delay_ms, times=1)
                return None if trouble_with(rule) else rule
    return None


def roll(seed: int, ordinal: int, purpose: str) -> int:
    """A number from 0 to 99 that depends on nothing but the arguments."""
    digest = blake2b(f"{seed}:{ordinal}:{purpose}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % 100


class Faults:
    """The rules in force, kept in the store so that a restart goes on where it was."""

    def __init__(self, store: Store) -> None:
        self._store = store
        store.create(SCHEMA)
        rows = store.all("select rule from fault order by seq")
        texts = [row[0] for row in rows if isinstance(row[0], str)]
        self.rules = [msgspec.json.decode(text, type=Rule) for text in texts]

    def add(self, rule: Rule) -> Rule:
        rule.id = self._store.next_seq("fault")
        rule.seen = rule.fired = 0
        self.rules.append(rule)
        self._save(rule)
        return rule

    def drop(self, number: int) -> bool:
        """Remove one rule; False when there is none of that number."""
        before = len(self.rules)
        self.rules = [rule for rule in self.rules if rule.id != number]
        self._store.put(DROP_RULE, (number,))
        return len(self.rules) < before

    def clear(self) -> int:
        dropped = len(self.rules)
        for rule in self.rules:
            self._store.put(DROP_RULE, (rule.id,))
        self.rules = []
        return dropped

    def pick(self, facts: Facts) -> Rule | None:
        """The rule that spoils the answer to this request, or None."""
        return self._first((r for r in self.rules if r.fault not in DEED_FAULTS), facts)

    def pick_deed(self, facts: Facts) -> Rule | None:
        """The rule that changes what this request does, or None."""
        return self._first((r for r in self.rules if r.fault in DEED_FAULTS), facts)

    def pick_magic(self, rule: Rule, mark: str | None) -> Rule | None:
        """A rule the request brought itself: once for each mark, so that the retry is answered."""
        if mark is None:
            return rule
        if self._store.find("select 1 from spent where mark = ?", (mark,)) is not None:
            return None
        self._store.put(PUT_SPENT, (mark,))
        self._store.flush()
        return rule

    def _first(self, rules: Iterable[Rule], facts: Facts) -> Rule | None:
        """The first rule that wants this request now; counts what it saw and what it took."""
        for rule in rules:
            if _about(rule.match, facts) and (rule.times is None or rule.fired < rule.times):
                rule.seen += 1
                wanted = roll(rule.seed, rule.seen, "fault") < rule.probability
                rule.fired += int(wanted)
                self._save(rule)
                if wanted:
                    return rule
        return None

    def _save(self, rule: Rule) -> None:
        self._store.put(PUT_RULE, (rule.id, msgspec.json.encode(rule).decode()))


def _about(match: Match, facts: Facts) -> bool:
    return (
        match.operation in {"*", facts.operation}
        and (match.amount is None or match.amount == facts.amount)
        and (match.payment_method is None or match.payment_method == facts.payment_method)
        and (
            match.metadata is None
            or all(facts.metadata.get(key) == value for key, value in match.metadata.items())
        )
    )
