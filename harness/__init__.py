"""The library behind the acceptance checks; it never imports pytest."""
