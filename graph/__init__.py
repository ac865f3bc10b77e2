"""The Neo4j graph: managed local server, schema, idempotent chunk writes and packed page reads."""
