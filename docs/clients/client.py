"""Recommendations by Qdrant's client.

python client.py text 'garden table' | python client.py vector '[0.01, -0.12, ...]'
"""

import json
import os
import sys
import unicodedata

from qdrant_client import QdrantClient, models

ALIAS = os.environ.get("RECSYS_ALIAS", "recsys")
PARAMETERS = models.SearchParams(quantization=models.QuantizationSearchParams(rescore=True, oversampling=2.0))


def live_collection(client: QdrantClient) -> str:
    """Return the collection behind the alias; asked by its own name, as the alias may move on between two requests."""
    return next(a.collection_name for a in client.get_aliases().aliases if a.alias_name == ALIAS)


def by_text(client: QdrantClient, text: str) -> list[models.ScoredPoint]:
    """Recommend for a query that is known; others need their vector."""
    live = live_collection(client)
    normal = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    same = models.FieldCondition(key="text", match=models.MatchValue(value=normal))
    known, _ = client.scroll(f"{live}-queries", models.Filter(must=[same]), limit=1, with_payload=False)
    if not known:
        sys.exit(f"no known query: {text}")
    return client.query_points(
        live,
        query=known[0].id,
        lookup_from=models.LookupLocation(collection=f"{live}-queries"),
        limit=10,
        with_payload=["id", "title"],
        search_params=PARAMETERS,
    ).points


def by_vector(client: QdrantClient, vector: list[float]) -> list[models.ScoredPoint]:
    """Recommend for the vector of any text."""
    found = client.query_points(ALIAS, query=vector, limit=10, with_payload=["id", "title"], search_params=PARAMETERS)
    return found.points


if __name__ == "__main__":
    client = QdrantClient(
        url=os.environ.get("QDRANT_URL", "http://localhost:6333"), api_key=os.environ.get("QDRANT_API_KEY"), timeout=5
    )
    kind, query = sys.argv[1:]
    for point in by_text(client, query) if kind == "text" else by_vector(client, json.loads(query)):
        print(point.payload["id"])
