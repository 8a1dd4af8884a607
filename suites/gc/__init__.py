"""Collecting garbage takes what nobody uses, gives its space back, and nothing else."""
