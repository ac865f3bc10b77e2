"""Neighbour stream, losses, trainer, item vectors and evaluation."""
