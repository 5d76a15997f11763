"""Opt-in tests against Stripe in test mode."""
