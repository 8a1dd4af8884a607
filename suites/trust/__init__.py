"""Each node accepts exactly the registries that it should."""
