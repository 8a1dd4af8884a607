"""What the registry takes from its machine under a stated load, and how large content may be."""
