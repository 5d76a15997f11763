"""Stripe's dialect: PaymentIntents, refunds, events and webhooks, as its public API speaks them."""
