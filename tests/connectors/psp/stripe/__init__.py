"""Tests of the Stripe connector."""
