"""Attacks `cogwit serve` on loopback from a web page."""
