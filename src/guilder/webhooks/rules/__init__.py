"""Pure decisions of webhooks: where may be sent to, how it is signed, when it is tried again."""
