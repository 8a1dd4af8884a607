"""The acceptance checks, one folder per capability."""
