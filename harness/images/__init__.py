"""Images: in the store already, or loaded, pulled or built."""
