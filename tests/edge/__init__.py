"""Tests of how we speak HTTP, over real sockets."""
