"""Registries: how they are reached, what they log, and what can be done to them."""
