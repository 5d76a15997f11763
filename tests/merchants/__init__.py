"""Tests of who sells."""
