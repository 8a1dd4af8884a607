"""Clusters: their nodes, and what can be done on a node."""
