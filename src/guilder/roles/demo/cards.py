"""The test cards that orders may use: the familiar magic tokens, and how each of them ends."""

from collections.abc import Mapping
from dataclasses import dataclass

from guilder.connectors.psp.contract import Reason


@dataclass(frozen=True, slots=True)
class MagicCard:
    """A card of the simulated world; `decline` is why it is refused, None for a good one."""

    brand: str
    decline: Reason | None = None


CARDS: Mapping[str, MagicCard] = {
    "pm_card_visa": MagicCard("visa"),
    "pm_card_visa_debit": MagicCard("visa"),
    "pm_card_mastercard": MagicCard("mastercard"),
    "pm_card_mastercard_debit": MagicCard("mastercard"),
    "pm_card_mastercard_prepaid": MagicCard("mastercard"),
    "pm_card_amex": MagicCard("amex"),
    "pm_card_discover": MagicCard("discover"),
    "pm_card_diners": MagicCard("diners"),
    "pm_card_jcb": MagicCard("jcb"),
    "pm_card_unionpay": MagicCard("unionpay"),
    "pm_card_chargeDeclined": MagicCard("visa", Reason.GENERIC_DECLINE),
    "pm_card_chargeDeclinedInsufficientFunds": MagicCard("visa", Reason.INSUFFICIENT_FUNDS),
    "pm_card_chargeDeclinedLostCard": MagicCard("visa", Reason.LOST_OR_STOLEN),
    "pm_card_chargeDeclinedStolenCard": MagicCard("visa", Reason.LOST_OR_STOLEN),
    "pm_card_chargeDeclinedExpiredCard": MagicCard("visa", Reason.EXPIRED_CARD),
    "pm_card_chargeDeclinedIncorrectCvc": MagicCard("visa", Reason.INCORRECT_CVC),
    "pm_card_chargeDeclinedProcessingError": MagicCard("visa", Reason.PROVIDER_FAULT),
    "pm_card_chargeDeclinedFraudulent": MagicCard("visa", Reason.SUSPECTED_FRAUD),
    "pm_card_chargeDeclinedVelocityLimitExceeded": MagicCard("visa", Reason.LIMIT_EXCEEDED),
    "pm_card_pendingRefund": MagicCard("visa"),
    "pm_sandbox_bookedThenSilent": MagicCard("visa"),
    "pm_sandbox_processing": MagicCard("visa"),
    "pm_sandbox_processingThenFails": MagicCard("visa", Reason.PROVIDER_FAULT),
}
"""`pendingRefund` refunds slowly, `bookedThenSilent` leaves its first asking without an answer, and
the `processing` ones take two seconds to say how they end."""
