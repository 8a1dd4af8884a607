"""Faults of a lab: frozen data that can be injected and healed; docs/faults.md lists them.

Nothing is imported here: a guard has to start before anything can be broken.
"""
