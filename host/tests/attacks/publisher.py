"""Attacks the publisher through the store: whoever has the bucket, but not the key."""
