"""Pull-through caches: what they serve, what they save, and what they are worth in an outage."""
