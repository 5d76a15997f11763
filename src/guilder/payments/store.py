"""SQL that loads payments under lock and saves them. Everything takes many and keeps order."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import msgspec

from guilder.connectors.psp.contract import Advice, Operation, Reason
from guilder.kernel import codec
from guilder.kernel.ids import AttemptId, MerchantId, PaymentId, RefundId, ResellerId
from guilder.kernel.money import Money
from guilder.payments.model import (
    Attempt,
    CaptureMethod,
    HistoryLine,
    Payment,
    PaymentMethod,
    Refund,
    Refused,
    Standing,
)
from guilder.payments.states import AttemptState, PaymentState, RefundState
from guilder.plumbing.db import ReadTx, Row, Tx


async def insert_payments(tx: Tx, payments: Sequence[Payment]) -> None:
    """Insert new payments; they begin as processing."""
    await tx.run(
        """
        insert into payments.payment
               (id, is_test, merchant_id, reseller_id, state, amount_minor, currency,
                capture_method, method_type, provider, reference, description, metadata,
                created_at, updated_at)
        select given.*, created_at
          from unnest($1::uuid[], $2::bool[], $3::uuid[], $4::uuid[], $5::text[], $6::bigint[],
                      $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
                      $13::jsonb[], $14::timestamptz[])
               as given (id, is_test, merchant_id, reseller_id, state, amount_minor, currency,
                         capture_method, method_type, provider, reference, description, metadata,
                         created_at)
        """,
        [payment.id.value for payment in payments],
        [payment.is_test for payment in payments],
        [payment.merchant_id.value for payment in payments],
        [payment.reseller_id.value if payment.reseller_id else None for payment in payments],
        [payment.state.value for payment in payments],
        [payment.amount.amount_minor for payment in payments],
        [payment.amount.currency.code for payment in payments],
        [payment.capture_method.value for payment in payments],
        [payment.method.type for payment in payments],
        [payment.provider for payment in payments],
        [payment.reference for payment in payments],
        [payment.description for payment in payments],
        [codec.to_json(dict(payment.metadata)).decode() for payment in payments],
        [payment.created_at for payment in payments],
    )


async def insert_attempts(tx: Tx, attempts: Sequence[Attempt]) -> None:
    """Insert attempts about to be asked."""
    await tx.run(
        """
        insert into payments.attempt
               (id, is_test, payment_id, refund_id, undoes_id, operation, state, amount_minor,
                currency, provider, payment_ref, detail, asked_at, resolve_at)
        select * from unnest(
               $1::uuid[], $2::bool[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[],
               $8::bigint[], $9::text[], $10::text[], $11::text[], $12::text[],
               $13::timestamptz[], $14::timestamptz[])
        """,
        [attempt.id.value for attempt in attempts],
        [attempt.is_test for attempt in attempts],
        [attempt.payment_id.value for attempt in attempts],
        [attempt.refund_id.value if attempt.refund_id else None for attempt in attempts],
        [attempt.undoes_id.value if attempt.undoes_id else None for attempt in attempts],
        [attempt.operation.value for attempt in attempts],
        [attempt.state.value for attempt in attempts],
        [attempt.amount.amount_minor for attempt in attempts],
        [attempt.amount.currency.code for attempt in attempts],
        [attempt.provider for attempt in attempts],
        [attempt.payment_ref for attempt in attempts],
        [attempt.detail for attempt in attempts],
        [attempt.asked_at for attempt in attempts],
        [attempt.resolve_at for attempt in attempts],
    )


async def insert_refunds(tx: Tx, refunds: Sequence[Refund]) -> None:
    """Insert refunds about to be asked; they begin as pending."""
    await tx.run(
        """
        insert into payments.refund
               (id, is_test, payment_id, merchant_id, reseller_id, state, amount_minor, currency,
                reason, created_at, updated_at)
        select given.*, created_at
          from unnest($1::uuid[], $2::bool[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[],
                      $7::bigint[], $8::text[], $9::text[], $10::timestamptz[])
               as given (id, is_test, payment_id, merchant_id, reseller_id, state, amount_minor,
                         currency, reason, created_at)
        """,
        [refund.id.value for refund in refunds],
        [refund.is_test for refund in refunds],
        [refund.payment_id.value for refund in refunds],
        [refund.merchant_id.value for refund in refunds],
        [refund.reseller_id.value if refund.reseller_id else None for refund in refunds],
        [refund.state.value for refund in refunds],
        [refund.amount.amount_minor for refund in refunds],
        [refund.amount.currency.code for refund in refunds],
        [refund.reason for refund in refunds],
        [refund.created_at for refund in refunds],
    )


async def insert_history(tx: Tx, lines: Sequence[HistoryLine]) -> None:
    """Append to the history of payments."""
    await tx.run(
        """
        insert into payments.history (payment_id, attempt_id, what, facts, happened_at)
        select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::jsonb[], $5::timestamptz[])
        """,
        [line.payment_id.value for line in lines],
        [line.attempt_id.value if line.attempt_id else None for line in lines],
        [line.what for line in lines],
        [codec.to_json(dict(line.facts)).decode() for line in lines],
        [line.happened_at for line in lines],
    )


async def load_payments_for_update(tx: Tx, ids: Collection[PaymentId]) -> dict[PaymentId, Payment]:
    """Those of these payments that exist, locked in the order of their ids."""
    rows = await tx.rows(
        """
        select id, is_test, merchant_id, reseller_id, state, amount_minor, currency,
               capture_method, authorized_minor, captured_minor, refunded_minor, method_type,
               method_brand, method_last4, provider, provider_ref, decline_reason, decline_advice,
               decline_raw, reference, description, metadata, created_at, updated_at, version
          from payments.payment
         where id = any($1::uuid[])
         order by id
           for no key update
        """,
        [payment_id.value for payment_id in ids],
    )
    return {PaymentId(row["id"]): payment_of(row) for row in rows}


async def load_attempts(tx: ReadTx, ids: Collection[AttemptId]) -> dict[AttemptId, Attempt]:
    """These attempts; lock their payments first when they are to be changed."""
    rows = await tx.rows(
        """
        select id, is_test, payment_id, refund_id, undoes_id, operation, state, amount_minor,
               currency, provider, payment_ref, provider_ref, verdict, detail, asked_at,
               asked_count, resolve_at, concluded_at
          from payments.attempt
         where id = any($1::uuid[])
        """,
        [attempt_id.value for attempt_id in ids],
    )
    return {AttemptId(row["id"]): attempt_of(row) for row in rows}


async def list_open_attempts(
    tx: ReadTx, payment_ids: Collection[PaymentId]
) -> dict[PaymentId, list[Attempt]]:
    """The attempts of these payments whose end is not known, undoing ones aside."""
    rows = await tx.rows(
        """
        select id, is_test, payment_id, refund_id, undoes_id, operation, state, amount_minor,
               currency, provider, payment_ref, provider_ref, verdict, detail, asked_at,
               asked_count, resolve_at, concluded_at
          from payments.attempt
         where payment_id = any($1::uuid[])
           and state = 'asked'
           and undoes_id is null
        """,
        [payment_id.value for payment_id in payment_ids],
    )
    found: dict[PaymentId, list[Attempt]] = {}
    for row in rows:
        found.setdefault(PaymentId(row["payment_id"]), []).append(attempt_of(row))
    return found


async def load_refunds(tx: ReadTx, ids: Collection[RefundId]) -> dict[RefundId, Refund]:
    """These refunds."""
    rows = await tx.rows(
        """
        select id, is_test, payment_id, merchant_id, reseller_id, state, amount_minor, currency,
               reason, provider_ref, failure, created_at, updated_at
          from payments.refund
         where id = any($1::uuid[])
        """,
        [refund_id.value for refund_id in ids],
    )
    return {RefundId(row["id"]): refund_of(row) for row in rows}


async def load_standing(tx: ReadTx, attempt_id: AttemptId) -> Standing:
    """An attempt that must exist, with its payment and its refund."""
    attempt = (await load_attempts(tx, [attempt_id]))[attempt_id]
    row = await tx.row(
        """
        select id, is_test, merchant_id, reseller_id, state, amount_minor, currency,
               capture_method, authorized_minor, captured_minor, refunded_minor, method_type,
               method_brand, method_last4, provider, provider_ref, decline_reason, decline_advice,
               decline_raw, reference, description, metadata, created_at, updated_at, version
          from payments.payment
         where id = $1
        """,
        attempt.payment_id.value,
    )
    refunds = await load_refunds(tx, [attempt.refund_id]) if attempt.refund_id else {}
    refund = refunds[attempt.refund_id] if attempt.refund_id else None
    return Standing(payment_of(row), attempt, refund)


async def save_payments(tx: Tx, pairs: Sequence[tuple[Payment, Payment]]) -> int:
    """Save (before, after) of locked payments; returns how many were still as `before` says."""
    return await tx.run(
        """
        update payments.payment
           set state = given.state,
               authorized_minor = given.authorized,
               captured_minor = given.captured,
               refunded_minor = given.refunded,
               method_brand = given.brand,
               method_last4 = given.last4,
               provider_ref = given.provider_ref,
               decline_reason = given.reason,
               decline_advice = given.advice,
               decline_raw = given.raw,
               updated_at = given.updated_at,
               version = given.version
          from unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::bigint[], $6::bigint[],
                      $7::bigint[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
                      $13::text[], $14::timestamptz[], $15::int[])
               as given (id, before, before_version, state, authorized, captured, refunded, brand,
                         last4, provider_ref, reason, advice, raw, updated_at, version)
         where payment.id = given.id
           and payment.state = given.before
           and payment.version = given.before_version
        """,
        [after.id.value for _, after in pairs],
        [before.state.value for before, _ in pairs],
        [before.version for before, _ in pairs],
        [after.state.value for _, after in pairs],
        [after.authorized_minor for _, after in pairs],
        [after.captured_minor for _, after in pairs],
        [after.refunded_minor for _, after in pairs],
        [after.method.brand for _, after in pairs],
        [after.method.last4 for _, after in pairs],
        [after.provider_ref for _, after in pairs],
        [after.decline.reason.value if after.decline else None for _, after in pairs],
        [after.decline.advice.value if after.decline else None for _, after in pairs],
        [after.decline.raw if after.decline else None for _, after in pairs],
        [after.updated_at for _, after in pairs],
        [after.version for _, after in pairs],
    )


async def save_attempts(tx: Tx, attempts: Sequence[Attempt]) -> None:
    """Save attempts whose payments are locked."""
    await tx.run(
        """
        update payments.attempt
           set state = given.state,
               payment_ref = given.payment_ref,
               provider_ref = given.provider_ref,
               verdict = given.verdict,
               detail = left(given.detail, 500),
               asked_count = given.asked_count,
               resolve_at = given.resolve_at,
               concluded_at = given.concluded_at
          from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                      $7::int[], $8::timestamptz[], $9::timestamptz[])
               as given (id, state, payment_ref, provider_ref, verdict, detail, asked_count,
                         resolve_at, concluded_at)
         where attempt.id = given.id
        """,
        [attempt.id.value for attempt in attempts],
        [attempt.state.value for attempt in attempts],
        [attempt.payment_ref for attempt in attempts],
        [attempt.provider_ref for attempt in attempts],
        [attempt.verdict for attempt in attempts],
        [attempt.detail for attempt in attempts],
        [attempt.asked_count for attempt in attempts],
        [attempt.resolve_at for attempt in attempts],
        [attempt.concluded_at for attempt in attempts],
    )


async def save_refunds(tx: Tx, refunds: Sequence[Refund]) -> None:
    """Save refunds whose payments are locked."""
    await tx.run(
        """
        update payments.refund
           set state = given.state,
               provider_ref = given.provider_ref,
               failure = given.failure,
               updated_at = given.updated_at
          from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
               as given (id, state, provider_ref, failure, updated_at)
         where refund.id = given.id
        """,
        [refund.id.value for refund in refunds],
        [refund.state.value for refund in refunds],
        [refund.provider_ref for refund in refunds],
        [refund.failure for refund in refunds],
        [refund.updated_at for refund in refunds],
    )


async def claim_due_attempts(
    tx: Tx, now: datetime, *, lease: timedelta, limit: int
) -> list[Attempt]:
    """Open attempts that are due to be looked up; they are due again after the lease."""
    rows = await tx.rows(
        """
        update payments.attempt
           set resolve_at = $1::timestamptz + $2::interval
         where id in (
               select id
                 from payments.attempt
                where state = 'asked'
                  and resolve_at <= $1
                order by resolve_at
                limit $3
                  for update skip locked)
        returning id, is_test, payment_id, refund_id, undoes_id, operation, state, amount_minor,
                  currency, provider, payment_ref, provider_ref, verdict, detail, asked_at,
                  asked_count, resolve_at, concluded_at
        """,
        now,
        lease,
        limit,
    )
    return [attempt_of(row) for row in rows]


async def find_attempt_for_news(
    tx: ReadTx, provider: str, payment_ref: str, operation: Operation, *, is_test: bool
) -> Attempt | None:
    """The latest attempt of this operation on the provider's payment, open ones first."""
    row = await tx.find(
        """
        select id, is_test, payment_id, refund_id, undoes_id, operation, state, amount_minor,
               currency, provider, payment_ref, provider_ref, verdict, detail, asked_at,
               asked_count, resolve_at, concluded_at
          from payments.attempt
         where provider = $1
           and payment_ref = $2
           and operation = $3
           and is_test = $4
         order by state = 'asked' desc, id desc
         limit 1
        """,
        provider,
        payment_ref,
        operation.value,
        is_test,
    )
    return attempt_of(row) if row else None


def payment_of(row: Row) -> Payment:
    """A payment from its row."""
    decline = None
    if row["decline_reason"] is not None:
        decline = Refused(
            Reason(row["decline_reason"]), Advice(row["decline_advice"]), row["decline_raw"]
        )
    return Payment(
        id=PaymentId(row["id"]),
        is_test=row["is_test"],
        merchant_id=MerchantId(row["merchant_id"]),
        reseller_id=ResellerId(row["reseller_id"]) if row["reseller_id"] else None,
        state=PaymentState(row["state"]),
        amount=Money.of(row["amount_minor"], row["currency"]),
        capture_method=CaptureMethod(row["capture_method"]),
        authorized_minor=row["authorized_minor"],
        captured_minor=row["captured_minor"],
        refunded_minor=row["refunded_minor"],
        method=PaymentMethod(row["method_type"], row["method_brand"], row["method_last4"]),
        provider=row["provider"],
        provider_ref=row["provider_ref"],
        decline=decline,
        reference=row["reference"],
        description=row["description"],
        metadata=msgspec.json.decode(row["metadata"], type=dict[str, str]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        version=row["version"],
    )


def attempt_of(row: Row) -> Attempt:
    """An attempt from its row."""
    return Attempt(
        id=AttemptId(row["id"]),
        is_test=row["is_test"],
        payment_id=PaymentId(row["payment_id"]),
        refund_id=RefundId(row["refund_id"]) if row["refund_id"] else None,
        undoes_id=AttemptId(row["undoes_id"]) if row["undoes_id"] else None,
        operation=Operation(row["operation"]),
        state=AttemptState(row["state"]),
        amount=Money.of(row["amount_minor"], row["currency"]),
        provider=row["provider"],
        payment_ref=row["payment_ref"],
        provider_ref=row["provider_ref"],
        verdict=row["verdict"],
        detail=row["detail"],
        asked_at=row["asked_at"],
        asked_count=row["asked_count"],
        resolve_at=row["resolve_at"],
        concluded_at=row["concluded_at"],
    )


def refund_of(row: Row) -> Refund:
    """A refund from its row."""
    return Refund(
        id=RefundId(row["id"]),
        is_test=row["is_test"],
        payment_id=PaymentId(row["payment_id"]),
        merchant_id=MerchantId(row["merchant_id"]),
        reseller_id=ResellerId(row["reseller_id"]) if row["reseller_id"] else None,
        state=RefundState(row["state"]),
        amount=Money.of(row["amount_minor"], row["currency"]),
        reason=row["reason"],
        provider_ref=row["provider_ref"],
        failure=row["failure"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
