"""How a whole number, such as a degree or clicks, is spread over nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Histogram:
    """A whole number per node, without the nodes.

    Attributes:
        nodes: Value to the number of nodes that have it, at least 1 each.
    """

    nodes: Mapping[int, int]

    @property
    def count(self) -> int:
        """Number of nodes."""
        return sum(self.nodes.values())

    @property
    def total(self) -> int:
        """Sum of the values of all nodes."""
        return sum(value * nodes for value, nodes in self.nodes.items())

    def percentile(self, percent: int) -> int:
        """Return the smallest value that ``percent`` of the nodes do not exceed (nearest rank); 0 without nodes."""
        rank = -(-percent * self.count // 100)
        for value in sorted(self.nodes):
            rank -= self.nodes[value]
            if rank <= 0:
                return value
        return 0

    def below(self, value: int) -> int:
        """Return the number of nodes under ``value``."""
        return sum(nodes for found, nodes in self.nodes.items() if found < value)

    def top(self, percent: int) -> int:
        """Return the sum of the highest ``percent`` of the nodes, rounded up to whole nodes."""
        left = -(-percent * self.count // 100)
        total = 0
        for value in sorted(self.nodes, reverse=True):
            taken = min(left, self.nodes[value])
            total += taken * value
            left -= taken
        return total
