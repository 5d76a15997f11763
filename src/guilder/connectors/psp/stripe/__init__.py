"""Stripe: PaymentIntents, refunds and webhooks."""
