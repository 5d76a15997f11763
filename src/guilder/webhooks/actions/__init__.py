"""The verbs of webhooks: what merchants ask, what is queued, and what is sent."""
