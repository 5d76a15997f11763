"""SQL that reads payments, always within a scope; `verify_payments` sees all of them."""

from collections.abc import Mapping

import msgspec

from guilder.kernel import codec
from guilder.kernel.finding import Finding
from guilder.kernel.ids import AttemptId, PaymentId, RefundId
from guilder.kernel.money import Money
from guilder.kernel.page import Page, PageRequest, page_of
from guilder.kernel.scope import Scope
from guilder.payments.model import HistoryLine, Payment, PaymentFilter, Refund, Story
from guilder.payments.store import attempt_of, payment_of, refund_of
from guilder.plumbing.db import ReadTx

FINDINGS_MAX = 100
HISTORY_MAX = 1000  # A payment has a handful of lines; this bounds a bug.


async def find_payment(tx: ReadTx, scope: Scope, payment_id: PaymentId) -> Payment | None:
    """The payment, if it is within the scope."""
    row = await tx.find(
        """
        select id, is_test, merchant_id, reseller_id, state, amount_minor, currency,
               capture_method, authorized_minor, captured_minor, refunded_minor, method_type,
               method_brand, method_last4, provider, provider_ref, decline_reason, decline_advice,
               decline_raw, reference, description, metadata, created_at, updated_at, version
          from payments.payment
         where id = $1
           and is_test = $2
           and ($3::uuid is null or merchant_id = $3)
           and ($4::uuid is null or reseller_id = $4)
        """,
        payment_id.value,
        scope.is_test,
        scope.merchant_id.value if scope.merchant_id else None,
        scope.reseller_id.value if scope.reseller_id else None,
    )
    return payment_of(row) if row else None


async def list_payments(
    tx: ReadTx, scope: Scope, wanted: PaymentFilter, page: PageRequest
) -> Page[Payment]:
    """Payments within the scope that meet every condition of the filter, newest first."""
    rows = await tx.rows(
        """
        select id, is_test, merchant_id, reseller_id, state, amount_minor, currency,
               capture_method, authorized_minor, captured_minor, refunded_minor, method_type,
               method_brand, method_last4, provider, provider_ref, decline_reason, decline_advice,
               decline_raw, reference, description, metadata, created_at, updated_at, version
          from payments.payment
         where is_test = $1
           and ($2::uuid is null or merchant_id = $2)
           and ($3::uuid is null or reseller_id = $3)
           and ($4::uuid is null or merchant_id = $4)
           and ($5::text is null or state = $5)
           and ($6::text is null or reference = $6)
           and ($7::timestamptz is null or created_at >= $7)
           and ($8::timestamptz is null or created_at <= $8)
           and ($9::jsonb is null or metadata @> $9)
           and ($10::uuid is null or id < $10)
           and ($11::uuid is null or id > $11)
         order by case when $11::uuid is null then id end desc, id
         limit $12
        """,
        scope.is_test,
        scope.merchant_id.value if scope.merchant_id else None,
        scope.reseller_id.value if scope.reseller_id else None,
        wanted.merchant_id.value if wanted.merchant_id else None,
        wanted.state,
        wanted.reference,
        wanted.created_from,
        wanted.created_to,
        _json(wanted.metadata),
        page.after,
        page.before,
        page.limit + 1,
    )
    return page_of([payment_of(row) for row in rows], page)


async def find_refund(tx: ReadTx, scope: Scope, refund_id: RefundId) -> Refund | None:
    """The refund, if it is within the scope."""
    row = await tx.find(
        """
        select id, is_test, payment_id, merchant_id, reseller_id, state, amount_minor, currency,
               reason, provider_ref, failure, created_at, updated_at
          from payments.refund
         where id = $1
           and is_test = $2
           and ($3::uuid is null or merchant_id = $3)
           and ($4::uuid is null or reseller_id = $4)
        """,
        refund_id.value,
        scope.is_test,
        scope.merchant_id.value if scope.merchant_id else None,
        scope.reseller_id.value if scope.reseller_id else None,
    )
    return refund_of(row) if row else None


async def list_refunds(
    tx: ReadTx, scope: Scope, payment_id: PaymentId, page: PageRequest
) -> Page[Refund]:
    """The refunds of one payment within the scope, newest first."""
    rows = await tx.rows(
        """
        select id, is_test, payment_id, merchant_id, reseller_id, state, amount_minor, currency,
               reason, provider_ref, failure, created_at, updated_at
          from payments.refund
         where payment_id = $1
           and is_test = $2
           and ($3::uuid is null or merchant_id = $3)
           and ($4::uuid is null or reseller_id = $4)
           and ($5::uuid is null or id < $5)
           and ($6::uuid is null or id > $6)
         order by case when $6::uuid is null then id end desc, id
         limit $7
        """,
        payment_id.value,
        scope.is_test,
        scope.merchant_id.value if scope.merchant_id else None,
        scope.reseller_id.value if scope.reseller_id else None,
        page.after,
        page.before,
        page.limit + 1,
    )
    return page_of([refund_of(row) for row in rows], page)


async def find_story(tx: ReadTx, scope: Scope, payment_id: PaymentId) -> Story | None:
    """The payment with its attempts, refunds and history, if it is within the scope."""
    payment = await find_payment(tx, scope, payment_id)
    if payment is None:
        return None
    attempts = await tx.rows(
        """
        select id, is_test, payment_id, refund_id, undoes_id, operation, state, amount_minor,
               currency, provider, payment_ref, provider_ref, verdict, detail, asked_at,
               asked_count, resolve_at, concluded_at
          from payments.attempt
         where payment_id = $1
         order by id
        """,
        payment_id.value,
    )
    refunds = await list_refunds(tx, scope, payment_id, PageRequest(limit=HISTORY_MAX))
    return Story(
        payment,
        tuple(attempt_of(row) for row in attempts),
        tuple(reversed(refunds.rows)),
        await _history(tx, payment_id),
    )


async def _history(tx: ReadTx, payment_id: PaymentId) -> tuple[HistoryLine, ...]:
    rows = await tx.rows(
        """
        select payment_id, attempt_id, what, facts, happened_at
          from payments.history
         where payment_id = $1
         order by position
         limit $2
        """,
        payment_id.value,
        HISTORY_MAX,
    )
    return tuple(
        HistoryLine(
            PaymentId(row["payment_id"]),
            AttemptId(row["attempt_id"]) if row["attempt_id"] else None,
            row["what"],
            msgspec.json.decode(row["facts"]),
            row["happened_at"],
        )
        for row in rows
    )


async def list_moved(
    tx: ReadTx, after: AttemptId | None, *, limit: int
) -> list[tuple[AttemptId, Money]]:
    """Attempts that moved money, undoing and overtaken ones too, by id, with how much."""
    rows = await tx.rows(
        """
        select id, amount_minor, currency
          from payments.attempt
         where state in ('succeeded', 'overtaken')
           and operation in ('sale', 'capture', 'refund')
           and ($1::uuid is null or id > $1)
         order by id
         limit $2
        """,
        after.value if after else None,
        limit,
    )
    return [(AttemptId(row["id"]), Money.of(row["amount_minor"], row["currency"])) for row in rows]


async def verify_payments(tx: ReadTx) -> list[Finding]:
    """Check I3, I6 and I7 over all payments, from the attempts, the history and the book up."""
    return [
        *await _amounts_against_attempts(tx),
        *await _state_against_history(tx),
        *await _two_creations(tx),
    ]


async def _amounts_against_attempts(tx: ReadTx) -> list[Finding]:
    rows = await tx.rows(
        """
        with told as (
            select payment_id,
                   coalesce(sum(amount_minor) filter (
                       where operation in ('sale', 'authorize')), 0) as authorized,
                   coalesce(sum(amount_minor) filter (
                       where operation in ('sale', 'capture')), 0) as captured,
                   coalesce(sum(amount_minor) filter (where operation = 'refund'), 0) as refunded
              from payments.attempt
             where state = 'succeeded'
               and undoes_id is null
             group by payment_id)
        select id, authorized_minor, captured_minor, refunded_minor,
               coalesce(authorized, 0) as authorized, coalesce(captured, 0) as captured,
               coalesce(refunded, 0) as refunded
          from payments.payment
          left join told on told.payment_id = payment.id
         where authorized_minor <> coalesce(authorized, 0)
            or captured_minor <> coalesce(captured, 0)
            or refunded_minor <> coalesce(refunded, 0)
            or captured_minor > authorized_minor
            or refunded_minor > captured_minor
         limit $1
        """,
        FINDINGS_MAX,
    )
    return [
        Finding(
            "I6",
            str(PaymentId(row["id"])),
            "the payment says authorized, captured, refunded "
            f"{row['authorized_minor']}, {row['captured_minor']}, {row['refunded_minor']}; its "
            f"attempts say {row['authorized']}, {row['captured']}, {row['refunded']}",
        )
        for row in rows
    ]


async def _state_against_history(tx: ReadTx) -> list[Finding]:
    rows = await tx.rows(
        """
        select id, state, told
          from payments.payment
          left join lateral (
               select facts ->> 'after' as told
                 from payments.history
                where history.payment_id = payment.id
                order by position desc
                limit 1) as latest on true
         where told is distinct from state
         limit $1
        """,
        FINDINGS_MAX,
    )
    return [
        Finding(
            "I7",
            str(PaymentId(row["id"])),
            f"the payment is {row['state']}, its history ends with {row['told']}",
        )
        for row in rows
    ]


async def _two_creations(tx: ReadTx) -> list[Finding]:
    rows = await tx.rows(
        """
        select payment_id, count(*) as times
          from payments.attempt
         where operation in ('sale', 'authorize')
           and state = 'succeeded'
         group by payment_id
        having count(*) > 1
         limit $1
        """,
        FINDINGS_MAX,
    )
    return [
        Finding(
            "I3", str(PaymentId(row["payment_id"])), f"the payer was charged {row['times']} times"
        )
        for row in rows
    ]


def _json(metadata: Mapping[str, str] | None) -> str | None:
    return codec.to_json(dict(metadata)).decode() if metadata else None
