"""``recsys train``: an encoder and item vectors from the graph."""

from __future__ import annotations

from typing import Any

import click

from recsys.cli.held_out import click_log, filtered_pairs
from recsys.cli.options import json_option, settings
from recsys.cli.output import note, print_json, print_line, print_table

FIGURES = ("P@1", "P@5", "nDCG@5", "PSP@5", "R@10", "R@100")


@click.command()
@click.option("--encoder", help="static, or a sentence-transformers model by name or path.")
@click.option("--graph/--no-graph", default=None, help="Graph terms and composed item vectors, or clicks alone.")
@click.option("--relation", "relations", multiple=True, help="Shape the encoder by this relation only; repeatable.")
@click.option("--graph-weight", type=float, help="Weight of each relation's term.")
@click.option("--graph-weights", help="fixed, annealed or bandit: how that weight changes.")
@click.option("--loss", help="triplet, infonce or chosen: how clicks are learnt from.")
@click.option("--hard-negatives-every", type=int, help="Epochs between searches for hard negatives; 0 for none.")
@click.option("--select/--no-select", default=None, help="Try first which graph terms pay, or use all.")
@click.option("--plan", help="uniform or ngame: which queries share a batch.")
@click.option("--prune-every", type=int, help="Epochs between prunings of the graph terms' edges; 0 for none.")
@click.option("--page-cache", type=int, help="MiB of neighbours kept on disk for later epochs; 0 for none.")
@click.option("--epochs", type=int, help="Passes over the training queries.")
@click.option("--batch-size", type=int, help="Queries per step.")
@click.option("--mini-batch-size", type=int, help="Texts encoded at once within a step, to need less memory.")
@click.option("--learning-rate", type=float, help="Peak learning rate.")
@click.option("--early-stopping", type=int, help="Measurements without a better score before it stops; 0 for never.")
@click.option("--report-to", multiple=True, help="Follow it in tensorboard, wandb or mlflow; repeatable.")
@click.option("--seed", type=int, help="Seed of every random draw.")
@click.option("--validation", metavar="PATH", help="Click log to choose by, instead of a share of the graph's queries.")
@click.option("--filter", "filter_", metavar="PATH", help="Pairs (query_id, item_id) left out of gold and negatives.")
@click.option("--fresh", is_flag=True, help="Begin anew instead of going on with an interrupted training.")
@click.option("--dry-run", is_flag=True, help="Say what would be trained on, and train nothing.")
@json_option
def train(validation: str | None, filter_: str | None, fresh: bool, dry_run: bool, as_json: bool, **flags: Any) -> None:
    """Train an encoder on the graph and write a run directory.

    The same command goes on with a training that was interrupted.
    """
    from recsys.cli.clients import open_graph

    chosen = settings(train={name: None if value == () else value for name, value in flags.items()})
    with open_graph(chosen) as graph:
        if dry_run:
            from recsys.model.train import plan_training

            show_plan(plan_training(graph, chosen.train).as_json(), as_json=as_json)
            return
        log = click_log(validation) if validation else None
        filtered = filtered_pairs(filter_)
        note("loading the training libraries")
        from recsys.model.processes import is_first
        from recsys.model.train import train as run_training

        runs = chosen.workspace / "runs"
        run = run_training(graph, chosen.train, runs, fresh=fresh, validation=log, filtered=filtered)
    if is_first():
        show_run(run.manifest, run.metrics, str(run.path), as_json=as_json)


def show_plan(snapshot: dict[str, Any], *, as_json: bool) -> None:
    """Print what a training would read."""
    if as_json:
        print_json(snapshot)
        return
    for label, rows in snapshot["rows"].items():
        print_line(f"{label:10} {rows}")
    print_line(f"{'pairs':10} {snapshot['clicked_pairs']}")
    for relation in snapshot["relations"]:
        print_line(f"{'relation':10} {relation['name']} ({relation['source']} → {relation['target']})")


def show_run(manifest: dict[str, Any], metrics: dict[str, Any], path: str, *, as_json: bool) -> None:
    """Print where the run is and its figures on held-out queries."""
    if as_json:
        print_json({"run": manifest["run"], "path": path, **{k: v for k, v in metrics.items() if k != "history"}})
        return
    print_line(f"run {manifest['run']} in {path}")
    if metrics["held_out_queries"]:
        print_line(f"{metrics['held_out_queries']} held-out queries, in percent:")
        named = ("plain", "chosen", "with_prototypes", "with_votes")
        rows = [{"item vectors": name, **metrics[name]} for name in named if name in metrics]
        print_table(rows, ["item vectors", *FIGURES])
    print_line("next: recsys publish")
