"""What was pushed is what every node gets."""
