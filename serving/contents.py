"""What a collection of a run is to hold: as the run chose, or with other prototypes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from recsys.core.prototypes import Prototypes, prototypes_of
from recsys.core.run import Run, Table
from recsys.core.scoring import Scoring
from recsys.serving.lineage import Lineage, lineage_of_run


@dataclass(frozen=True)
class Contents:
    """A run, and how it is published; its tables are read when first needed.

    Attributes:
        run: Finished run.
        instead: How it is to be searched, where that is not as the run chose.
    """

    run: Run
    instead: Scoring | None = None

    @classmethod
    def of(cls, run: Run, prototypes: int | None = None) -> Contents:
        """Return what is to be published.

        Args:
            run: Finished run.
            prototypes: Of an item, at most, in place of what the run chose; more than 0 take the place of votes too.
        """
        chosen = run.scoring
        if prototypes is None or prototypes == chosen.prototypes:
            return cls(run)
        # the weight goes, and not β of votes, without which vectors may be one number shorter
        return cls(run, replace(chosen, prototypes=prototypes, votes=0.0 if prototypes else chosen.votes))

    @property
    def scoring(self) -> Scoring:
        """How the collection is to be searched."""
        return self.instead or self.run.scoring

    @property
    def collection(self) -> str:
        """Its name: that of the run, with the number of prototypes where the run did not choose it."""
        return self.run.name if self.instead is None else f"{self.run.name}-prototypes-{self.instead.prototypes}"

    @property
    def command(self) -> str:
        """What publishes it."""
        other = "" if self.instead is None else f" --prototypes {self.instead.prototypes}"
        return f"recsys publish {self.run.name}{other}"

    def lineage(self, previous: Mapping[str, str]) -> Lineage:
        """Return what the collection is to know about itself; the argument is as of a lineage."""
        return lineage_of_run(self.run, previous, self.instead)

    @cached_property
    def items(self) -> Table:
        """The run's items."""
        return self.run.items()

    @cached_property
    def queries(self) -> Table:
        """The run's queries."""
        return self.run.queries()

    @cached_property
    def prototypes(self) -> Prototypes | None:
        """Further vectors of the items; None where they have none."""
        return prototypes_of(self.queries, len(self.items.ids), self.scoring) if self.scoring.prototypes else None
