"""Payment service providers: one contract, one folder for each provider."""
