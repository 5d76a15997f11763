"""Opt-in tests against the vendors themselves; without their keys they are not collected."""
