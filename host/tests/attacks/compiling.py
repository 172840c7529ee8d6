"""Attacks the compiler with small components that are costly to compile, and admission with pauses."""
