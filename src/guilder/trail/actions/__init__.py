"""The verb of trail, and how each kind of record reads in it."""
