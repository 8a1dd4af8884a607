"""A run from its first trace on the machine to its last, however it ends."""
