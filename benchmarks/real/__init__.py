"""Holds what becomes of real logs and link tables against an independent computation."""
