"""The graph while serving: asked for reasons where it answers, and done without where it does not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from recsys.core.errors import RecsysError
from recsys.graph.client import Graph
from recsys.graph.neo4j_errors import GraphMemoryError, GraphRefusedError, GraphUnreachableError
from recsys.serving.explain import SHOWN, explain
from recsys.serving.explanation import Explanation
from recsys.serving.recommend import Recommender

AGAIN_SECONDS: Final = 30.0
"After which a graph that did not answer is looked for again; nobody waits for it before."
NOT_RUNNING: Final = "the graph does not run here (`recsys up` starts it)"


class GraphAtHand:
    """Opens the graph when it is first needed. Threads may share it."""

    def __init__(self, open_graph: Callable[[], Graph | None], *, now: Callable[[], float] = time.monotonic) -> None:
        """Note how to open it.

        Args:
            open_graph: Returns None where there is no graph to open; may raise RecsysError.
            now: In seconds.
        """
        self._open = open_graph
        self._now = now
        self._looking = threading.Lock()
        self._opened: list[Graph] = []
        self._not_before = now()
        self.trouble: str | None = None

    def get(self) -> Graph | None:
        """Return the graph if it answers right now; otherwise ``trouble`` says why not."""
        with self._looking:
            if self._now() < self._not_before:
                return None
            if self._opened and self._opened[-1].answers():
                return self._opened[-1]
            graph = self._look()
            self.trouble = None if graph else self.trouble
            self._not_before = self._now() + (0 if graph else AGAIN_SECONDS)
            return graph

    def explain(
        self, recommender: Recommender, query: str, item_id: str, *, by_id: bool = False, shown: int = SHOWN
    ) -> Explanation:
        """Return :func:`recsys.serving.explain.explain` with the graph, or without where it fails meanwhile."""
        try:
            return explain(recommender, self.get(), query, item_id, by_id=by_id, shown=shown)
        except (GraphUnreachableError, GraphRefusedError, GraphMemoryError) as error:
            self.trouble = str(error)
            return explain(recommender, None, query, item_id, by_id=by_id, shown=shown)

    def close(self) -> None:
        """Close all connections."""
        for graph in self._opened:
            graph.close()

    def _look(self) -> Graph | None:
        try:
            graph = self._open()
        except RecsysError as error:
            self.trouble = str(error)
            return None
        if graph is None:
            self.trouble = NOT_RUNNING
        else:
            self._opened.append(graph)
        return graph
