"""Attacks the host's own work for a policy: merging, checking, comparing, masking, lowering."""
