"""What an answer means for a payment: the third beat, as a pure function."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypedDict

from guilder.connectors.psp.contract import Advice, Answer, Decline, Operation, Reason, Verdict
from guilder.kernel.ids import AttemptId, MerchantId, PaymentId
from guilder.kernel.money import Money
from guilder.ledger import public as ledger
from guilder.payments import events
from guilder.payments.model import Attempt, HistoryLine, Payment, Refund, Refused, Standing
from guilder.payments.rules.booking import entry_for
from guilder.payments.states import AttemptState, PaymentState, RefundState, move

PATIENCE = timedelta(seconds=30)  # Longer than any call to a provider can last.
WAIT_FIRST = timedelta(seconds=1)
WAIT_MAX = timedelta(seconds=60)
CREATING = frozenset({Operation.AUTHORIZE, Operation.SALE})


@dataclass(frozen=True, slots=True)
class Change:
    """Everything that one answer changes; it is saved, posted and announced together."""

    payment: Payment
    attempt: Attempt
    refund: Refund | None = None
    undo: Attempt | None = None
    entry: ledger.Entry | None = None
    news: tuple[events.PaymentEvent, ...] = ()


class _Facts(TypedDict):
    """What every event about a payment carries."""

    payment_id: PaymentId
    merchant_id: MerchantId
    is_test: bool
    state: str
    amount: Money
    reference: str | None
    happened_at: datetime


def conclude(
    standing: Standing, answer: Answer, at: datetime, *, patience: timedelta = PATIENCE
) -> Change | None:
    """What the answer changes; None when it tells nothing new, because a sure end stands.

    An answer that says yes to another amount or currency than was asked is not believed: the
    attempt stays open and says why.
    """
    attempt = standing.attempt
    if attempt.state is AttemptState.FAILED:
        return _overtake(standing, answer, at)
    if attempt.state is not AttemptState.ASKED:
        return None
    answer = _believed(attempt, answer)
    match answer.verdict:
        case Verdict.SUCCEEDED if attempt.undoes_id is not None:
            return _undone(standing, answer, at)
        case Verdict.SUCCEEDED:
            return _succeed(standing, answer, at)
        case Verdict.DECLINED if attempt.undoes_id is None:
            return _decline(standing, answer, at)
        case Verdict.NEVER_SEEN if _is_given_up(attempt, at, patience):
            return _fail(standing, at)
        case _:
            return Change(standing.payment, _ask_again(attempt, answer, at), standing.refund)


def is_refused(attempt: Attempt) -> bool:
    """Whether the provider said no to a capture or a void: callers hear of it as a refusal."""
    changing = attempt.operation in {Operation.CAPTURE, Operation.VOID}
    return changing and attempt.state is AttemptState.DECLINED


def wait_before(asked_count: int) -> timedelta:
    """How long to wait before asking again: 1 s, doubled each time, at most a minute."""
    return min(WAIT_FIRST * 2 ** min(asked_count, 10), WAIT_MAX)


def history_of(before: Standing, change: Change, at: datetime) -> HistoryLine:
    """The line that the payment's history gets for this change."""
    return HistoryLine(
        payment_id=change.payment.id,
        attempt_id=change.attempt.id,
        what=f"{change.attempt.operation} {change.attempt.verdict}",
        facts={
            "before": before.payment.state.value,
            "after": change.payment.state.value,
            "attempt": change.attempt.state.value,
            "amount_minor": change.attempt.amount.amount_minor,
            "provider_ref": change.attempt.provider_ref,
            "detail": change.attempt.detail,
        },
        happened_at=at,
    )


def _believed(attempt: Attempt, answer: Answer) -> Answer:
    if answer.verdict is not Verdict.SUCCEEDED or answer.amount == attempt.amount:
        return answer
    if answer.amount is None and attempt.operation is Operation.VOID:
        return answer
    told = f"the provider says {answer.amount}, we asked for {attempt.amount}"
    return replace(answer, verdict=Verdict.UNKNOWN, detail=told)


def _is_given_up(attempt: Attempt, at: datetime, patience: timedelta) -> bool:
    """Only a payment that nobody has seen is given up; other operations are asked again."""
    return attempt.operation in CREATING and at - attempt.asked_at >= patience


def _ask_again(attempt: Attempt, answer: Answer, at: datetime) -> Attempt:
    return replace(
        attempt,
        asked_count=attempt.asked_count + 1,
        resolve_at=at + wait_before(attempt.asked_count),
        verdict=answer.verdict.value,
        detail=answer.detail,
        payment_ref=attempt.payment_ref or _payment_ref(attempt, answer),
    )


def _closed(attempt: Attempt, state: AttemptState, answer: Answer, at: datetime) -> Attempt:
    return replace(
        attempt,
        state=state,
        verdict=answer.verdict.value,
        detail=answer.detail,
        provider_ref=answer.provider_ref or attempt.provider_ref,
        payment_ref=attempt.payment_ref or _payment_ref(attempt, answer),
        asked_count=attempt.asked_count + 1,
        resolve_at=None,
        concluded_at=at,
    )


def _payment_ref(attempt: Attempt, answer: Answer) -> str | None:
    return answer.provider_ref if attempt.operation in CREATING else None


def _succeed(standing: Standing, answer: Answer, at: datetime) -> Change:
    attempt = _closed(standing.attempt, AttemptState.SUCCEEDED, answer, at)
    payment, refund = _after_success(standing, attempt, answer, at)
    announced = _announcement(payment, attempt, refund, at)
    return Change(
        payment, attempt, refund, entry=entry_for(payment, attempt, at), news=(announced,)
    )


def _after_success(
    standing: Standing, attempt: Attempt, answer: Answer, at: datetime
) -> tuple[Payment, Refund | None]:
    before, minor = standing.payment, attempt.amount.amount_minor
    payment = replace(before, updated_at=at, version=before.version + 1)
    match attempt.operation:
        case Operation.AUTHORIZE | Operation.SALE:
            is_sale = attempt.operation is Operation.SALE
            after = PaymentState.CAPTURED if is_sale else PaymentState.AUTHORIZED
            payment = _with_card(payment, answer)
            return replace(
                payment,
                state=move(before.state, after),
                authorized_minor=minor,
                captured_minor=minor if is_sale else 0,
                provider_ref=answer.provider_ref,
            ), None
        case Operation.CAPTURE:
            whole = minor == before.authorized_minor
            after = PaymentState.CAPTURED if whole else PaymentState.PARTIALLY_CAPTURED
            return replace(payment, state=move(before.state, after), captured_minor=minor), None
        case Operation.VOID:
            return replace(payment, state=move(before.state, PaymentState.REVERSED)), None
        case Operation.REFUND:
            return _after_refund(standing, payment, attempt, at)


def _after_refund(
    standing: Standing, payment: Payment, attempt: Attempt, at: datetime
) -> tuple[Payment, Refund]:
    before = standing.payment
    assert standing.refund is not None, "a refund's attempt has its refund"
    refunded = before.refunded_minor + attempt.amount.amount_minor
    whole = refunded == before.captured_minor
    after = PaymentState.REFUNDED if whole else PaymentState.PARTIALLY_REFUNDED
    state = before.state if after is before.state else move(before.state, after)
    refund = replace(
        standing.refund,
        state=RefundState.SUCCEEDED,
        provider_ref=attempt.provider_ref,
        updated_at=at,
    )
    return replace(payment, state=state, refunded_minor=refunded), refund


def _with_card(payment: Payment, answer: Answer) -> Payment:
    if answer.card is None:
        return payment
    method = replace(payment.method, brand=answer.card.brand, last4=answer.card.last4)
    return replace(payment, method=method)


def _announcement(
    payment: Payment, attempt: Attempt, refund: Refund | None, at: datetime
) -> events.PaymentEvent:
    match attempt.operation:
        case Operation.AUTHORIZE:
            return events.PaymentAuthorized(**_facts(payment, attempt.amount, at))
        case Operation.SALE | Operation.CAPTURE:
            return events.PaymentCaptured(**_facts(payment, attempt.amount, at))
        case Operation.VOID:
            return events.PaymentVoided(**_facts(payment, attempt.amount, at))
        case Operation.REFUND:
            assert refund is not None, "a refund's attempt has its refund"
            return events.PaymentRefunded(
                **_facts(payment, attempt.amount, at), refund_id=refund.id
            )


def _decline(standing: Standing, answer: Answer, at: datetime) -> Change:
    decline = answer.decline or _UNEXPLAINED
    attempt = _closed(standing.attempt, AttemptState.DECLINED, answer, at)
    attempt = replace(attempt, detail=attempt.detail or decline.raw)
    before = standing.payment
    facts = _facts(before, attempt.amount, at)
    if attempt.operation in CREATING:
        payment = replace(
            _with_card(before, answer),
            state=move(before.state, PaymentState.DECLINED),
            decline=Refused(decline.reason, decline.advice, decline.raw),
            provider_ref=answer.provider_ref or before.provider_ref,
            updated_at=at,
            version=before.version + 1,
        )
        told = events.PaymentDeclined(
            **_facts(payment, attempt.amount, at),
            reason=decline.reason.value,
            advice=decline.advice.value,
        )
        return Change(payment, attempt, news=(told,))
    if attempt.operation is Operation.REFUND:
        assert standing.refund is not None, "a refund's attempt has its refund"
        refund = replace(
            standing.refund, state=RefundState.FAILED, failure=decline.raw, updated_at=at
        )
        failed = events.RefundFailed(**facts, refund_id=refund.id, reason=decline.reason.value)
        return Change(before, attempt, refund, news=(failed,))
    refused = events.OperationRefused(
        **facts, operation=attempt.operation.value, reason=decline.reason.value
    )
    return Change(before, attempt, news=(refused,))


def _fail(standing: Standing, at: datetime) -> Change:
    answer = Answer(Verdict.NEVER_SEEN)
    attempt = _closed(standing.attempt, AttemptState.FAILED, answer, at)
    before = standing.payment
    payment = replace(
        before,
        state=move(before.state, PaymentState.FAILED),
        updated_at=at,
        version=before.version + 1,
    )
    return Change(
        payment, attempt, news=(events.PaymentFailed(**_facts(payment, attempt.amount, at)),)
    )


def _overtake(standing: Standing, answer: Answer, at: datetime) -> Change | None:
    """A yes for an attempt that was given up: book what moved, and have it given back."""
    if answer.verdict is not Verdict.SUCCEEDED or standing.attempt.operation not in CREATING:
        return None
    attempt = _closed(standing.attempt, AttemptState.OVERTAKEN, answer, at)
    is_sale = attempt.operation is Operation.SALE
    undo = replace(
        attempt,
        id=AttemptId.new(),
        undoes_id=attempt.id,
        operation=Operation.REFUND if is_sale else Operation.VOID,
        state=AttemptState.ASKED,
        amount=answer.amount or attempt.amount,
        provider_ref=None,
        verdict=None,
        detail="undoes a payment that succeeded after it was given up",
        asked_at=at,
        asked_count=0,
        resolve_at=at,
        concluded_at=None,
    )
    attempt = replace(attempt, amount=undo.amount)
    told = events.PaymentOvertaken(**_facts(standing.payment, undo.amount, at))
    entry = entry_for(standing.payment, attempt, at)
    return Change(standing.payment, attempt, undo=undo, entry=entry, news=(told,))


def _undone(standing: Standing, answer: Answer, at: datetime) -> Change:
    attempt = _closed(standing.attempt, AttemptState.SUCCEEDED, answer, at)
    entry = entry_for(standing.payment, attempt, at)
    return Change(standing.payment, attempt, entry=entry)


def _facts(payment: Payment, amount: Money, at: datetime) -> _Facts:
    return _Facts(
        payment_id=payment.id,
        merchant_id=payment.merchant_id,
        is_test=payment.is_test,
        state=payment.state.value,
        amount=amount,
        reference=payment.reference,
        happened_at=at,
    )


_UNEXPLAINED = Decline(Reason.GENERIC_DECLINE, Advice.OTHER_METHOD, "")
