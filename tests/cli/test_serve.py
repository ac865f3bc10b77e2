"""``recsys serve`` as a user meets it: a process that answers, and goes in good order."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

SERVE = "import sys; sys.argv[0] = 'recsys'; from recsys.cli.main import main; main()"


@pytest.fixture
def started(shop, recsys):
    """Start the command for a shop with one run published: (process, address)."""
    run = shop.run("a")
    assert recsys("publish", shop=shop).code == 0
    begun = []

    def start(*arguments):
        environment = {**os.environ, "RECSYS_WORKSPACE": str(shop.workspace), "RECSYS_QDRANT__ALIAS": shop.alias}
        command = [sys.executable, "-c", SERVE, "serve", "--port", "0", *arguments]
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        begun.append(process)
        for line in process.stderr:
            if found := re.search(rf"answering from {run.name} on (http://\S+);", line):
                return process, found[1]
        raise AssertionError(f"it ended with {process.wait()}")

    yield start
    for process in begun:
        process.kill()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_answers_until_it_is_stopped(started, shop, number):
    """Answers come over the wire, a stop is in good order with code 0, and the click log is whole and seen."""
    process, address = started()
    with urllib.request.urlopen(f"{address}/recommend?text=red+lamp&k=2") as answer:  # noqa: S310 - our own address
        assert len(json.load(answer)["results"][0]["hits"]) == 2
    form = b"q=red&item=item-1&rank=1&shown=text&collection=c"
    with urllib.request.urlopen(f"{address}/click", data=form) as answer:  # noqa: S310
        assert "/item?id=item-1" in answer.url
    process.send_signal(number)
    assert process.wait() == 0
    assert process.stderr.read().endswith("stopped\n")
    (log,) = (shop.workspace / "clicks").iterdir()
    assert (log.name[0] != ".", json.loads(log.read_text())["query_text"]) == (True, "red")


def test_an_address_for_others_needs_a_key(recsys):
    """Before anything is loaded; a key that is too short is none."""
    refused = recsys("serve", "--host", "0.0.0.0", "--port", "0")  # noqa: S104
    assert (refused.code, refused.out) == (2, "")
    assert "RECSYS_SERVE__API_KEY" in refused.err
    short = recsys("serve", "--host", "0.0.0.0", "--port", "0", "--api-key", "secret")  # noqa: S104
    assert short.code == 2
    assert "serve.api_key" in short.err
    assert "secret" not in short.err


def test_a_taken_port_is_said(recsys):
    """The message names the port and the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = recsys("serve", "--port", str(port))
    assert refused.code == 2
    assert f"port {port}" in refused.err
    assert "--port" in refused.err


def test_nothing_published_is_said(shop, recsys):
    """There is nothing to serve yet, and the next command is named."""
    refused = recsys("serve", "--port", "0", shop=shop)
    assert refused.code == 1
    assert "run `recsys publish`" in refused.err
