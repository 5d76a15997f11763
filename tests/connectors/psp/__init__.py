"""Tests of the payment providers."""
