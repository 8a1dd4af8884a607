"""Proof that every check can fail: real systems broken on purpose, and who turns red."""
