"""From a run directory to a Qdrant collection, and from a query to recommendations."""
