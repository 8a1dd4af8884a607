"""Right credentials pull, all others are refused, and nothing masks a refusal."""
