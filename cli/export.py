"""``recsys export``: parts of a run for programs in other languages."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Literal

import click

from recsys.cli.options import json_option, settings
from recsys.cli.output import print_json, print_line


@click.group()
def export() -> None:
    """Write parts of a run for programs in other languages."""


@export.command()
@click.argument("run", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(["numpy", "onnx"]),
    default="numpy",
    show_default=True,
    help="The table of a static encoder, or the graph of any encoder.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Directory to be made.")
@json_option
def encoder(run: str | None, form: Literal["numpy", "onnx"], out: Path, as_json: bool) -> None:
    """Write the encoder of RUN (the newest by default), so that a backend makes query vectors itself.

    OUT gets encoder.json, which says how texts become vectors, tokenizer.json and vectors.npy or model.onnx.
    """
    from recsys.core.run import find_run
    from recsys.serving.export import export_encoder

    done = export_encoder(find_run(settings().workspace / "runs", run), form, out.absolute())
    if as_json:
        print_json(asdict(done))
        return
    manifest = done.manifest
    print_line(f"wrote the encoder of {manifest['run']} to {done.directory} ({done.bytes / 1e6:,.1f} MB)")
    print_line(f"{manifest['file']}, {manifest['tokenizer']} and encoder.json; vectors are {manifest['width']} wide")
    if manifest["suffix"]:
        numbers = " and ".join(f"{number:g}" for number in manifest["suffix"])
        print_line(f"the collection's are two wider: append {numbers}")
