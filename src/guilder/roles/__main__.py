"""`python -m guilder.roles`: the same as the `guilder` command."""

from guilder.roles.command import main

main()
