"""The programs of docs/clients get what a Recommender gets."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from recsys.core.scoring import Scoring
from recsys.serving.lineage import lineage_of_run
from recsys.serving.publish import publish
from recsys.serving.recommend import Recommender
from recsys.serving.voters import publish_voters

CLIENTS = Path(__file__).parents[2] / "docs" / "clients"
SECONDS = 240
"Go builds its whole network library before it runs the first time."

NEEDED = {"curl": ["curl", "jq", "bash"], "python": [], "javascript": ["node", "npm"], "go": ["go"], "java": ["java"]}
"Tools, by language."
STARTED = {
    "curl": ["bash", "client.sh"],
    "python": [sys.executable, "client.py"],
    "go": ["go", "run", "client.go"],
    "java": ["java", "Client.java"],
}
"How each program is started."


@pytest.fixture(scope="session")
def javascript(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], list[str]]:
    """Put the program beside Qdrant's client from npm, once."""
    place = tmp_path_factory.mktemp("javascript")

    def prepare() -> list[str]:
        if not (place / "client.mjs").exists():
            install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "@qdrant/js-client-rest"]
            done = subprocess.run(install, cwd=place, capture_output=True, text=True, timeout=SECONDS, check=False)
            if done.returncode:
                pytest.skip(f"npm cannot install @qdrant/js-client-rest: {done.stderr.strip()[-200:]}")
            shutil.copy(CLIENTS / "client.mjs", place)
        return ["node", str(place / "client.mjs")]

    return prepare


@pytest.fixture(params=list(NEEDED))
def program(request: pytest.FixtureRequest, javascript: Callable[[], list[str]]) -> list[str]:
    """The start of a command line in each language whose tools are here."""
    for tool in NEEDED[request.param]:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not on PATH")
    if request.param == "javascript":
        return javascript()
    *start, name = STARTED[request.param]
    return [*start, str(CLIENTS / name)]


@pytest.mark.timeout(SECONDS)
def test_every_language_gets_the_same_items(shop, address: Callable[..., object], program: list[str]):
    """By a known text, in another spelling, and by a vector, the ids are those of a Recommender, in its order."""
    run = shop.run("a", scoring=Scoring(bonus=0.1))
    queries = run.queries()
    with shop.connect() as client:
        publish(client, run, shop.alias, embedded=shop.embedded)
        # embedded mode has them for votes only
        publish_voters(client, run.name, queries, lineage_of_run(run, {}), shop.embedded)
        known, other = Recommender(client, shop.alias, shop.runs).by_query_ids(["query-5", "query-7"])
        vector = json.dumps(queries.vectors[7].tolist())
        with address(client) as url:
            by_text = answers(shop, url, program, "text", f" {queries.texts[5].upper()} ")
            by_vector = answers(shop, url, program, "vector", vector)
    assert by_text == [hit.id for hit in known.hits]
    assert by_vector == [hit.id for hit in other.hits]


def answers(shop, url: str, program: list[str], kind: str, query: str) -> list[str]:
    """Return the lines that a program prints."""
    asked = {"QDRANT_URL": url, "RECSYS_ALIAS": shop.alias}
    if shop.qdrant.api_key is not None:
        asked["QDRANT_API_KEY"] = shop.qdrant.api_key.get_secret_value()
    if program[-1].endswith(".sh"):
        query = " ".join(query.lower().split())  # it takes the normal form
    done = subprocess.run([*program, kind, query], env=os.environ | asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
