"""A merchant's till: works an order through, step by step, until its end is known."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from guilder.connectors.psp.stripe.amounts import to_theirs
from guilder.kernel.money import Money
from guilder.roles.demo.caller import Answer, Caller, Unanswered, encoded
from guilder.roles.demo.expected import DONE, REFUND_FAILED, Ending, expected_end
from guilder.roles.demo.faults import DUPLICATE, OTHER_BODY, rule_for
from guilder.roles.demo.journal import Journal
from guilder.roles.demo.orders import Order, Step, Verb
from guilder.roles.demo.scene import Merchant
from guilder.roles.demo.views import PaymentSeen, RefundSeen

NOT_SENT = frozenset({"no_connection", "breaker_open", "too_many_calls"})
"""What a decline says when the provider was away: nothing was sent, so it may be asked anew."""

AGAIN_MAX = 20
AGAIN_SECONDS = 2.0
LOOK_SECONDS = 0.25
SETTLE_SECONDS = 150  # A truth that an inquiry must find takes its patience, and some seconds.
KEY_REUSED = "idempotency_key_reused"

Settled = Callable[[PaymentSeen], bool]


@dataclass(slots=True)
class Worked:
    """What became of an order: where its payment stands, and everything that is not as wanted."""

    order: Order
    ending: Ending
    payment: PaymentSeen | None = None
    steps: list[str] = field(default_factory=list[str])
    given_up: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])
    troubles: list[str] = field(default_factory=list[str])


class Rule(msgspec.Struct, frozen=True):
    """A fault that the sandbox will play, by its number there."""

    id: int


class Till:
    """Works orders of one run; several may be under way at once."""

    def __init__(
        self, caller: Caller, journal: Journal, *, run: str, merchants: dict[str, Merchant]
    ) -> None:
        self.waiting = 0
        self._caller = caller
        self._journal = journal
        self._run = run
        self._merchants = merchants
        self._provider_is_away = asyncio.Lock()

    async def work(self, order: Order) -> Worked:
        """Take the payment, take the steps, wait for every end, and compare with the wanted one."""
        worked = Worked(order, expected_end(order))
        try:
            await self._prepare_fault(order)
            await self._pay(worked)
            for number, step in enumerate(order.then, start=1):
                await self._step(worked, number, step)
            await self._look_again(worked)
        except (Unanswered, msgspec.ValidationError) as trouble:
            worked.troubles.append(str(trouble))
        else:
            worked.troubles += differences(worked)
        return worked

    # The payment

    async def _pay(self, worked: Worked) -> None:
        order = worked.order
        for again in range(AGAIN_MAX):
            key = self._key(order, "pay", again)
            answer = await self._order_payment(worked, key, is_first=again == 0)
            payment = await self._settled(order, answer.read(PaymentSeen))
            worked.payment = payment
            if not _never_reached_provider(payment):
                return
            worked.given_up.append(payment.id)
            if answer.sent_count:
                await self._wait_for_provider()

    async def _order_payment(self, worked: Worked, key: str, *, is_first: bool) -> Answer:
        order = worked.order
        body = encoded(self._payment_order(order, order.amount.amount_minor))
        fault = order.fault.name if order.fault and is_first else ""
        if fault == DUPLICATE:
            both = [self._intend(order, "/v1/payments", body, key) for _ in range(2)]
            answer, twin = await asyncio.gather(*both)
            same = (answer.status, answer.body) == (twin.status, twin.body)
            told = "sent twice at once: the same answer, byte for byte"
            worked.notes.append(told) if same else worked.troubles.append(
                f"the same key sent twice was answered {answer} and {twin}, not the same"
            )
            return answer
        answer = await self._intend(order, "/v1/payments", body, key)
        if fault == OTHER_BODY:
            await self._try_other_body(worked, key)
        return answer

    async def _try_other_body(self, worked: Worked, key: str) -> None:
        """The same key with another amount must be refused, whatever the first request came to."""
        order = worked.order
        body = encoded(self._payment_order(order, order.amount.amount_minor + 1))
        bearer = self._merchants[order.merchant].key
        answer = await self._caller.post("/v1/payments", body, key=key, bearer=bearer)
        problem = answer.problem
        if answer.status == 422 and problem is not None and problem.error_code == KEY_REUSED:
            worked.notes.append(f"the same key with another body: refused, {KEY_REUSED}")
        else:
            worked.troubles.append(f"the same key with another body was answered {answer}")

    def _payment_order(self, order: Order, amount_minor: int) -> dict[str, object]:
        return {
            "amount_minor": amount_minor,
            "currency": order.amount.currency.code,
            "payment_method": {"type": "card", "token": order.card},
            "capture_method": order.capture,
            "reference": f"{self._run}:{order.name}",
            "metadata": {"demo": self._run},
        }

    # What follows

    async def _step(self, worked: Worked, number: int, step: Step) -> None:
        wanted = worked.ending.steps[number - 1]
        came = ""
        for again in range(AGAIN_MAX):
            key = self._key(worked.order, f"{number}-{step.verb}", again)
            came = await self._take(worked, step, key)
            if came not in {"operation_declined", REFUND_FAILED} or came == wanted:
                break
            await self._wait_for_provider()
        worked.steps.append(came)

    async def _take(self, worked: Worked, step: Step, key: str) -> str:
        payment = worked.payment
        assert payment is not None, "steps follow a payment"
        path = f"/v1/payments/{payment.id}/{step.verb}"
        order = {} if step.amount_minor is None else {"amount_minor": step.amount_minor}
        answer = await self._intend(worked.order, path, encoded(order), key)
        if not answer.is_yes:
            problem = answer.problem
            return problem.error_code if problem else str(answer)
        if step.verb is Verb.REFUND:
            refund = await self._refunded(worked.order, answer.read(RefundSeen))
            return DONE if refund.state == "succeeded" else f"refund_{refund.state}"
        before = answer.read(PaymentSeen)
        worked.payment = await self._until(
            worked.order, before, lambda one: one.state != "authorized"
        )
        return DONE

    async def _refunded(self, order: Order, refund: RefundSeen) -> RefundSeen:
        bearer = self._merchants[order.merchant].key
        deadline = asyncio.get_running_loop().time() + SETTLE_SECONDS
        while refund.state == "pending":
            if asyncio.get_running_loop().time() > deadline:
                raise Unanswered(f"{refund.id} is still pending after {SETTLE_SECONDS} seconds")
            await self._wait_a_little()
            refund = await self._caller.look(f"/v1/refunds/{refund.id}", RefundSeen, bearer=bearer)
        return refund

    # Waiting and looking

    async def _settled(self, order: Order, payment: PaymentSeen) -> PaymentSeen:
        return await self._until(order, payment, lambda one: one.state != "processing")

    async def _until(self, order: Order, payment: PaymentSeen, is_settled: Settled) -> PaymentSeen:
        deadline = asyncio.get_running_loop().time() + SETTLE_SECONDS
        while not is_settled(payment):
            if asyncio.get_running_loop().time() > deadline:
                raise Unanswered(
                    f"{payment.id} is still {payment.state} after {SETTLE_SECONDS} seconds"
                )
            await self._wait_a_little()
            payment = await self._look(order, payment.id)
        return payment

    async def _look_again(self, worked: Worked) -> None:
        assert worked.payment is not None, "an order has its payment by now"
        worked.payment = await self._look(worked.order, worked.payment.id)
        self._journal.looked(self._run, worked.payment)
        for payment_id in worked.given_up:
            self._journal.looked(self._run, await self._look(worked.order, payment_id))

    async def _look(self, order: Order, payment_id: str) -> PaymentSeen:
        bearer = self._merchants[order.merchant].key
        return await self._caller.look(f"/v1/payments/{payment_id}", PaymentSeen, bearer=bearer)

    async def _wait_a_little(self) -> None:
        self.waiting += 1
        try:
            await asyncio.sleep(LOOK_SECONDS)
        finally:
            self.waiting -= 1

    async def _wait_for_provider(self) -> None:
        """One order at a time looks whether the provider is back; the others wait behind it."""
        self.waiting += 1
        try:
            async with self._provider_is_away:
                await asyncio.sleep(AGAIN_SECONDS)
        finally:
            self.waiting -= 1

    # Sending

    async def _intend(self, order: Order, path: str, body: bytes, key: str) -> Answer:
        """Send an intent, or take its answer from the journal when it had one before."""
        known = self._journal.answers.get(key)
        if known is not None:
            return Answer(known.status, bytes(known.body), known.is_replay, 0)
        answer = await self._caller.post(
            path,
            body,
            key=key,
            bearer=self._merchants[order.merchant].key,
            before=lambda: self._journal.about_to_send(self._run, key, path, body),
        )
        self._journal.answered(
            self._run, key, answer.status, _as_json(answer.body), is_replay=answer.is_replay
        )
        return answer

    async def _prepare_fault(self, order: Order) -> None:
        """Tell the sandbox to misbehave, unless this order was answered in a former sitting."""
        fault = order.fault
        if fault is None or not fault.is_providers:
            return
        if self._key(order, "pay", 0) in self._journal.answers and fault.moment == "create":
            return
        amount = to_theirs(_amount_at(order, fault.moment))
        if amount is None:
            return  # The provider will not hear of this order.
        rule = rule_for(fault, card=order.card, amount_theirs=amount)
        raw = await self._caller.sandbox("POST", "/control/faults", rule)
        self._journal.faulted(self._run, msgspec.json.decode(raw, type=Rule).id)

    def _key(self, order: Order, what: str, again: int) -> str:
        return f"{self._run}:{order.name}:{what}" + (f":{again + 1}" if again else "")


def differences(worked: Worked) -> list[str]:
    """Where a payment and its steps are not what the row of the order says they must be."""
    payment, wanted, amount = worked.payment, worked.ending, worked.order.amount
    if payment is None:
        return ["there is no payment"]
    reason = wanted.decline.value if wanted.decline else None
    pairs: list[tuple[str, object, object]] = [
        ("state", payment.state, wanted.state),
        ("amount", payment.amount_minor, amount.amount_minor),
        ("currency", payment.currency, amount.currency.code),
        ("authorized", payment.authorized_minor, wanted.authorized_minor),
        ("captured", payment.captured_minor, wanted.captured_minor),
        ("refunded", payment.refunded_minor, wanted.refunded_minor),
        ("decline", payment.decline.reason if payment.decline else None, reason),
    ]
    wrong = [f"{name} is {is_}, wanted {should}" for name, is_, should in pairs if is_ != should]
    for step, came, should in zip(worked.order.then, worked.steps, wanted.steps, strict=True):
        if came != should:
            wrong.append(f"{step} came to {came}, wanted {should}")
    return wrong


def _never_reached_provider(payment: PaymentSeen) -> bool:
    """Whether nothing moved because the provider was away, so that a new payment is the remedy."""
    declined = payment.decline is not None and payment.decline.raw in NOT_SENT
    return payment.state == "failed" or declined


def _amount_at(order: Order, moment: str) -> Money:
    """What the provider will be asked for at the moment of a fault."""
    for step in order.then:
        if step.verb == moment and step.amount_minor is not None:
            return Money(step.amount_minor, order.amount.currency)
    return order.amount


def _as_json(body: bytes) -> bytes:
    """The body on one line, as a journal keeps it; what is no JSON is kept as a text."""
    try:
        return msgspec.json.encode(msgspec.json.decode(body))
    except msgspec.DecodeError:
        return msgspec.json.encode(body.decode(errors="replace"))
