"""The demo: a file of orders worked through as a merchant would, and three books compared."""
