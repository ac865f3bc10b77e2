"""Spark jobs that bring click logs, items and links into the graph."""
