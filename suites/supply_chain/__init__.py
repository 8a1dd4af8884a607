"""Signatures and attachments stay with their image, and nobody else's are accepted."""
