"""Tests of the code itself: the rules of STYLE.md and docs/adr/ that a machine can hold us to."""
