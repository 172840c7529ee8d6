"""Attacks what is written: secrets that stay readable, and callers that make an operator's records unreadable."""
