"""The outside world, simulated: providers with books of their own, in a process of their own."""
