"""What a payment may be: every standing it can have, and every answer that each of them allows."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

REFUNDABLE = frozenset({"captured", "partially_captured", "partially_refunded"})


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that is asked: pay, capture, void or refund, of how much."""

    verb: str
    amount_minor: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """An answer as far as it matters: the status, and the code or the state that it tells."""

    status: int
    word: str


@dataclass(frozen=True, slots=True)
class Standing:
    """One way a payment can stand; `pending` is what was asked and is not known to have ended."""

    amount_minor: int
    by_hand: bool
    is_good_card: bool
    state: str = "none"
    captured_minor: int = 0
    refunded_minor: int = 0
    pending: tuple[Deed, ...] = ()

    def ends(self) -> "Iterator[Standing]":
        """Every way it can stand once some of what is pending has ended, this one first."""
        seen: set[Standing] = {self}
        waiting: list[Standing] = [self]
        while waiting:
            one = waiting.pop()
            yield one
            for number, deed in enumerate(one.pending):
                rest = replace(one, pending=one.pending[:number] + one.pending[number + 1 :])
                for after in (_done(rest, deed), _not_done(rest, deed)):
                    if after not in seen:
                        seen.add(after)
                        waiting.append(after)

    def answers(self, deed: Deed) -> "Iterator[tuple[Told, Standing]]":
        """Every answer that this standing allows to a deed, with how the payment stands after it.

        A provider that cannot be reached is a sure no; one that is silent leaves it pending.
        """
        match deed.verb:
            case "pay":
                yield from self._pay(deed)
            case "refund":
                yield from self._refund(deed)
            case _:
                yield from self._take_or_leave(deed)

    def _pay(self, deed: Deed) -> "Iterator[tuple[Told, Standing]]":
        declined = replace(self, state="declined")
        yield Told(201, "declined"), declined
        yield Told(202, "processing"), replace(self, state="processing", pending=(deed,))
        if self.is_good_card:
            done = _done(self, deed)
            yield Told(201, done.state), done

    def _take_or_leave(self, deed: Deed) -> "Iterator[tuple[Told, Standing]]":
        is_capture = deed.verb == "capture"
        if self.state != "authorized":
            word = "payment_not_capturable" if is_capture else "payment_not_voidable"
            yield Told(409, word), self
        elif self.pending:
            yield Told(409, "operation_in_progress"), self
        elif is_capture and deed.amount_minor > self.amount_minor:
            yield Told(422, "capture_exceeds_authorized"), self
        else:
            done = _done(self, deed)
            yield Told(200, done.state), done
            yield Told(202, "authorized"), replace(self, pending=(deed,))
            yield Told(402, "operation_declined"), self

    def _refund(self, deed: Deed) -> "Iterator[tuple[Told, Standing]]":
        on_their_way = sum(one.amount_minor for one in self.pending)
        left = self.captured_minor - self.refunded_minor - on_their_way
        if self.state not in REFUNDABLE:
            yield Told(409, "payment_not_refundable"), self
        elif deed.amount_minor > left:
            yield Told(422, "refund_exceeds_captured"), self
        else:
            yield Told(201, "succeeded"), _done(self, deed)
            yield Told(202, "pending"), replace(self, pending=(*self.pending, deed))
            yield Told(201, "failed"), self


def _done(before: Standing, deed: Deed) -> Standing:
    match deed.verb:
        case "pay" if before.is_good_card and before.by_hand:
            return replace(before, state="authorized")
        case "pay" if before.is_good_card:
            return replace(before, state="captured", captured_minor=before.amount_minor)
        case "pay":
            return replace(before, state="declined")
        case "capture":
            whole = deed.amount_minor == before.amount_minor
            state = "captured" if whole else "partially_captured"
            return replace(before, state=state, captured_minor=deed.amount_minor)
        case "void":
            return replace(before, state="reversed")
        case _:
            refunded = before.refunded_minor + deed.amount_minor
            whole = refunded == before.captured_minor
            state = "refunded" if whole else "partially_refunded"
            return replace(before, state=state, refunded_minor=refunded)


def _not_done(before: Standing, deed: Deed) -> Standing:
    return replace(before, state="failed") if deed.verb == "pay" else before


class Possible:
    """All the standings one payment can have, after everything that was heard of it."""

    def __init__(self, first: Standing) -> None:
        self.standings = {first}
        self.heard: list[str] = []

    def hear(self, deed: Deed, told: Told) -> None:
        """Keep only what allows this answer. Fails when nothing does."""
        after = {
            standing
            for before in self._ended()
            for allowed, standing in before.answers(deed)
            if allowed == told
        }
        self._narrow(after, f"{deed.verb} {deed.amount_minor}: {told.status} {told.word}")

    def see(self, state: str, captured_minor: int, refunded_minor: int) -> None:
        """Keep only what looks like this. Fails when nothing does."""
        looks = (state, captured_minor, refunded_minor)
        after = {
            one
            for one in self._ended()
            if (one.state, one.captured_minor, one.refunded_minor) == looks
        }
        self._narrow(after, f"seen {state} {captured_minor} {refunded_minor}")

    def _ended(self) -> set[Standing]:
        return {end for one in self.standings for end in one.ends()}

    def _narrow(self, after: set[Standing], heard: str) -> None:
        self.heard.append(heard)
        story = "\n".join(self.heard)
        assert after, f"no payment can come to this:\n{story}\nbefore it: {self.standings}"
        self.standings = after
