"""A copy of a registry brings back all that users had, to those who had it."""
