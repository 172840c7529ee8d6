"""Attacks through files: sets that name other people's files, special files, and texts that steer a terminal."""
