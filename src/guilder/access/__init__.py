"""Who may call: API keys, what they may do, and whose rows they may see."""
