"""The generators of docs/reference: each reads the code as it runs and returns one page."""
