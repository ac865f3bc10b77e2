"""From a run directory to a Qdrant collection, and from a query to recommendations."""

from recsys.serving.recommend import Recommender
from recsys.serving.recommend_async import AsyncRecommender

__all__ = ["AsyncRecommender", "Recommender"]
