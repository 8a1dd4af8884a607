"""How long pulls take, and what they cost the registry."""
