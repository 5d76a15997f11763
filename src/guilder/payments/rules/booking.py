"""Which accounts a payment moves: the chart of accounts is in docs/money.md."""

from datetime import datetime

from guilder.connectors.psp.contract import Operation
from guilder.kernel.ids import PLATFORM
from guilder.kernel.money import Currency
from guilder.ledger import public as ledger
from guilder.payments.model import Attempt, Payment

SYSTEM = "payments"
"""The source system of every entry posted here; the event id is the attempt's id."""


def psp_clearing(attempt: Attempt) -> ledger.AccountName:
    """What a provider holds for us until it pays out."""
    return ledger.AccountName(
        is_test=attempt.is_test,
        owner_id=PLATFORM.value,
        purpose=f"psp_clearing:{attempt.provider}",
        currency=attempt.amount.currency,
        normal_side=ledger.Side.DEBIT,
        floor_minor=None,
    )


def merchant_payable(payment: Payment) -> ledger.AccountName:
    """What we owe a merchant. No floor: a refund may come after the merchant was paid."""
    return ledger.AccountName(
        is_test=payment.is_test,
        owner_id=payment.merchant_id.value,
        purpose="merchant_payable",
        currency=payment.amount.currency,
        normal_side=ledger.Side.CREDIT,
        floor_minor=None,
    )


def owed_to_payers(currency: Currency, *, is_test: bool) -> ledger.AccountName:
    """Money that was taken for a payment already given up, until it has gone back."""
    return ledger.AccountName(
        is_test=is_test,
        owner_id=PLATFORM.value,
        purpose="owed_to_payers",
        currency=currency,
        normal_side=ledger.Side.CREDIT,
        floor_minor=None,
    )


def entry_for(payment: Payment, attempt: Attempt, at: datetime) -> ledger.Entry | None:
    """The entry that a succeeded attempt posts; None for those that move no money."""
    owed = merchant_payable(payment)
    if attempt.undoes_id is not None or attempt.state == "overtaken":
        owed = owed_to_payers(attempt.amount.currency, is_test=attempt.is_test)
    clearing = psp_clearing(attempt)
    match attempt.operation:
        case Operation.SALE | Operation.CAPTURE:
            reason = "payment captured"
            lines = [ledger.debit(clearing, attempt.amount), ledger.credit(owed, attempt.amount)]
        case Operation.REFUND:
            reason = "payment refunded"
            lines = [ledger.debit(owed, attempt.amount), ledger.credit(clearing, attempt.amount)]
        case Operation.AUTHORIZE | Operation.VOID:
            return None
    return ledger.entry(
        is_test=attempt.is_test,
        source=(SYSTEM, str(attempt.id)),
        reason=reason,
        at=at,
        lines=lines,
    )
