"""The simulated outside world, tested as what it is: a process that speaks HTTP."""
