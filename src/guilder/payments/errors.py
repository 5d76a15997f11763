"""What payments refuse."""

from guilder.kernel.errors import Kind, Refusal


class PaymentNotFound(Refusal):
    """No payment of the caller's has this id."""

    code = "payment_not_found"
    kind = Kind.NOT_FOUND


class RefundNotFound(Refusal):
    """No refund of the caller's has this id."""

    code = "refund_not_found"
    kind = Kind.NOT_FOUND


class PaymentNotCapturable(Refusal):
    """Only an authorized payment can be captured, and only once."""

    code = "payment_not_capturable"
    kind = Kind.CONFLICT


class PaymentNotVoidable(Refusal):
    """Only an authorized payment can be voided; captured money is refunded instead."""

    code = "payment_not_voidable"
    kind = Kind.CONFLICT


class PaymentNotRefundable(Refusal):
    """Only captured money can be refunded."""

    code = "payment_not_refundable"
    kind = Kind.CONFLICT


class OperationDeclined(Refusal):
    """The provider refused the capture or the void; the payment stands as it did."""

    code = "operation_declined"
    kind = Kind.REFUSED


class OperationInProgress(Refusal):
    """Another operation on this payment has been asked and not answered yet."""

    code = "operation_in_progress"
    kind = Kind.CONFLICT
    retryable = True


class CaptureExceedsAuthorized(Refusal):
    """More was asked to be captured than was authorized."""

    code = "capture_exceeds_authorized"
    kind = Kind.UNPROCESSABLE


class RefundExceedsCaptured(Refusal):
    """More was asked back than was captured and not refunded yet."""

    code = "refund_exceeds_captured"
    kind = Kind.UNPROCESSABLE


class MerchantRequired(Refusal):
    """The key belongs to no single merchant, so the request must name one."""

    code = "merchant_required"
    kind = Kind.UNPROCESSABLE


class NoProvider(Refusal):
    """No provider is set up for this mode, so nothing can be paid."""

    code = "no_provider"
    kind = Kind.UPSTREAM
