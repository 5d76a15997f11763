"""How bytes are kept and moved: database, outbox, inbox, jobs, idempotency, logs."""
