"""Pure decisions about the book."""
