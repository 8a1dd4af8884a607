"""Renderers of a result for people and machines; they conclude nothing themselves."""
