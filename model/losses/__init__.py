"""Losses: one file, one loss."""
