"""Tests of the connectors: how we speak to companies."""
