"""Values without I/O: money, ids, the clock, refusals, pages, secrets."""
