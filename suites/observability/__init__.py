"""What a registry tells of itself: metrics, access log, and alerts that fire."""
