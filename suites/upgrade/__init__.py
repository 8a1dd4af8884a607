"""Upgrades of a registry: rehearsed on a copy of its data, and taken back."""
