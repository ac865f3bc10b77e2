"""Ingests that are killed, cut off and interrupted, and end in the graph of one that was left alone."""
