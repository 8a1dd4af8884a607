"""How long pulls take."""
