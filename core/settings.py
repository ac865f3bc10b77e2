"""Every setting of recsys, one section per stage. Precedence is flag > environment > ``recsys.toml`` > default.

See :mod:`recsys.core.config` for how the layers are read and merged.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    field_validator,
)


class Section(BaseModel):
    """A frozen section that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Neo4jSettings(Section):
    """Where the graph is; without ``uri`` a server is managed in the workspace."""

    uri: str | None = None
    "Bolt address such as neo4j+s://graph.example.org; unset means the managed local server."
    user: str = "neo4j"
    "User name at ``uri``."
    password: SecretStr | None = None
    "Password at ``uri``; the managed server generates its own."
    database: str = "neo4j"
    "Database name."
    port: NonNegativeInt = 0
    "Bolt port of the managed server on loopback; 0 takes a free one."
    heap: str = Field(default="1g", pattern=r"^\d+[kmg]$")
    "Java heap of the managed server."
    page_cache: str = Field(default="512m", pattern=r"^\d+[kmg]$")
    "Page cache of the managed server."
    repository: str | None = None
    "Address of a Maven mirror for the managed server's jars; unset means Maven Central."


class SparkSettings(Section):
    """How Spark runs."""

    master: str = "local[*]"
    "Spark master: local[*] here, or a cluster's URL."
    driver_memory: str = Field(default="2g", pattern=r"^\d+[kmg]$")
    "Heap of the driver, which is all of Spark under local[*]."
    conf: dict[str, str] = Field(default_factory=dict)
    "Further Spark properties, passed on as they are."


class QdrantSettings(Section):
    """Where item vectors are served from; without ``url`` a managed server, or else embedded mode in the workspace."""

    url: str | None = None
    "Address such as https://qdrant.example.org:6333; unset means the server of `recsys up --qdrant`, or embedded."
    api_key: SecretStr | None = None
    "API key at ``url``."
    alias: str = Field(default="recsys", min_length=1)
    "Alias that product backends query; it points at the live collection."
    timeout: PositiveInt = 60
    "Seconds before a request is given up."
    gate_tolerance: float = Field(default=3, ge=0, le=100)
    "Percentage points that P@1 and R@10 of golden queries may be below the live collection's when publishing."
    indexed: tuple[str, ...] | None = None
    "Item columns that a server indexes for filters; unset means all with short texts, numbers or truth values."
    binary: str = Field(default="qdrant", min_length=1)
    "Program that `recsys up --qdrant` starts: its name on PATH, or its path."
    port: int = Field(default=0, ge=0, le=65_535)
    "HTTP port of the managed server on loopback; 0 takes a free one."
    int8_from: NonNegativeInt = 100_000
    "Items from which a server also keeps vectors in int8 to search faster; 0 for never."


class IngestSettings(Section):
    """Settings of ``recsys ingest``."""

    chunk_rows: PositiveInt = 20_000
    "Nodes or relationships written in one transaction."
    bulk_rows: PositiveInt = 1_000_000
    "Good rows from which a click log goes into an empty managed graph by Neo4j's offline importer."
    session_window: float = Field(default=30, ge=0, le=525_600)
    "Minutes between two queries of a session that SAME_SESSION joins; 0 joins none."
    max_rejects: str = Field(default="100%", pattern=r"^\d+(\.\d+%|%?)$")
    "Most rows that may be bad, such as 500 or 1%; beyond it nothing is written."
    max_session_clicks: PositiveInt | None = None
    "Sessions of more clicks are set aside as robots; unset keeps all."
    timezone: str = "UTC"
    "Zone of times that name none, such as Europe/Berlin."

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ValueError, OSError, KeyError):
            raise ValueError("not a zone of the IANA database, such as UTC or Europe/Berlin") from None
        return name


class TrainSettings(Section):
    """Settings of ``recsys train``."""

    encoder: str = Field(default="auto", min_length=1)
    "static, or a sentence-transformers model by name or path; auto is static without a GPU, all-MiniLM-L6-v2 with one."
    graph: bool = True
    "Train with graph terms and compose item vectors from the graph; false is the same training on clicks alone."
    relations: tuple[str, ...] | None = None
    "Relations that shape the encoder; unset means every relation of the registry."
    graph_weight: NonNegativeFloat = 0.02
    "Weight of each relation's term (λ of RAMEN, arXiv 2402.18434); 0 leaves it out."
    graph_weights: Literal["fixed", "annealed", "bandit"] = "fixed"
    "Keep that weight, let it fall to 0 over the training, or let a bandit find one per relation and side from there."
    select: bool = True
    "Try first, for a tenth of the epochs each, whether two hops and relations pay, and leave out what does not."
    two_hop: bool = True
    "Two hops over the clicks in the loss: queries that share an item, and items as they will be composed."
    item_vectors: Literal["chosen", "plain"] = "chosen"
    "What held-out queries choose among composed vectors, a bonus and votes, or E(title) alone."
    residual: bool = True
    "Learn a free vector per clicked item after the encoder, one more candidate among item vectors to choose from."
    prototypes: NonNegativeInt = 8
    "Vectors of an item drawn towards clicking queries, at most, that a single search may be chosen with; 0 for none."
    loss: Literal["chosen", "triplet", "infonce"] = "chosen"
    "How clicks are learnt from: the hardest negatives at a margin, a softmax over the batch, or what a trial chooses."
    hard_negatives_every: NonNegativeInt = 4
    "Epochs between searches for the nearest unclicked items of every query, further negatives; 0 for none."
    plan: Literal["uniform", "ngame"] = "uniform"
    "Which queries share a batch: any, or after ten epochs those whose vectors are near (NGAME, arXiv 2207.04452)."
    prune_after: NonNegativeInt = 10
    "Epochs before the first pruning."
    prune_every: NonNegativeInt = 0
    "Epochs between prunings: edges whose ends the encoder finds unlike are not drawn until the next; 0 for none."
    degree_cap: PositiveInt = 500
    "Neighbours of one node and relation that an epoch draws from; of more, a seeded sample, another in each epoch."
    page_cache: NonNegativeInt = 1024
    "MiB of neighbours that are kept on disk while training, so that later epochs need not ask the graph; 0 for none."
    epochs: PositiveInt = 20
    "Passes over the training queries."
    batch_size: PositiveInt = 1024
    "Queries per step; negatives come from the batch."
    mini_batch_size: NonNegativeInt = 0
    "Texts encoded at once within a step, for a large batch in little memory (transformers only); 0 for all."
    learning_rate: PositiveFloat | None = None
    "Peak learning rate; unset means 0.002 for the static encoder, 2e-4 for others."
    margin: PositiveFloat = Field(default=0.3, le=2)
    "Hinge margin γ, in cosine."
    max_length: PositiveInt = 32
    "Tokens kept of each text (transformers only)."
    validation_share: float = Field(default=0.1, ge=0, lt=1)
    "Share of queries held out, chosen by a hash of their id."
    early_stopping: NonNegativeInt = 0
    "Measurements on held-out queries without a better score after which training stops; 0 for never."
    report_to: tuple[Literal["tensorboard", "wandb", "mlflow"], ...] = ()
    "Trackers that follow the training; each needs its package."
    seed: NonNegativeInt = 42
    "Seed of every random draw."

    @property
    def composes(self) -> bool:
        """Whether item vectors may be composed from the graph."""
        return self.graph and self.item_vectors == "chosen"

    @field_validator("relations")
    @classmethod
    def _no_empty_name(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if names is not None and not all(names):
            raise ValueError("a relation name is not empty")
        return names


class ServeSettings(Section):
    """Settings of ``recsys serve``."""

    host: str = Field(default="127.0.0.1", min_length=1)
    "Address to listen on; any but loopback needs ``api_key``."
    port: int = Field(default=8000, ge=0, le=65_535)
    "Port to listen on; 0 takes a free one."
    api_key: SecretStr | None = Field(default=None, min_length=16)
    "What callers have to know; unset on loopback lets everybody on this machine ask."
    popular: bool = False
    "Name the most clicked items where Qdrant does not answer or the encoder knows no word, and say so."
    reload_seconds: PositiveFloat = 2
    "Between looks whether the alias has moved."
    click_minutes: PositiveFloat = 10
    "Minutes after which a file of clicks is closed and another begun."


class Settings(Section):
    """All settings of one command."""

    workspace: Path = Path(".recsys")
    "Directory of the managed Neo4j, embedded Qdrant, runs and rejects; relative to recsys.toml, or else here."
    neo4j: Neo4jSettings = Neo4jSettings()
    "The graph."
    spark: SparkSettings = SparkSettings()
    "Spark."
    qdrant: QdrantSettings = QdrantSettings()
    "The vector search."
    ingest: IngestSettings = IngestSettings()
    "Writing to the graph."
    train: TrainSettings = TrainSettings()
    "Training."
    serve: ServeSettings = ServeSettings()
    "Answering by HTTP."
