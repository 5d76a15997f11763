"""The verbs of intake: receive, apply, redrive."""
