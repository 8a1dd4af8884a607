"""Our own overhead, as ratios within one run: they compare between machines, seconds do not."""
