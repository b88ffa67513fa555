"""The command `sightline`. Commands live in files of their own; errors of ours end here, in one message."""

from __future__ import annotations

import errno
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from sightline.cli.audit import audit
from sightline.cli.check import check
from sightline.cli.export import export
from sightline.cli.lab import demo, lab
from sightline.cli.score import score
from sightline.cli.serve import serve
from sightline.cli.show import show, systems
from sightline.cli.train import train
from sightline.cli.view import view
from sightline.core.errors import SightlineError
from sightline.core.version import __version__

WRONG = 2  # exit code of a wrong call: options, files, columns
STOPPED = 130  # by Ctrl-C


class Commands(TyperGroup):
    """All commands behind one door, which turns errors of ours into a message without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except SightlineError as error:
            if ctx.params.get("debug"):
                raise
            _say(error, f"{type(error).__name__}: {error}")
            raise typer.Exit(WRONG) from error
        except OSError as error:
            if ctx.params.get("debug") or error.filename is None or error.errno == errno.EPIPE:
                raise
            _say(error, f"cannot read or write {error.filename}: {error.strerror}")
            raise typer.Exit(WRONG) from error
        except KeyboardInterrupt as stop:
            _say(stop, "stopped")
            raise typer.Exit(STOPPED) from stop


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_show_locals=False,
    help="Multimodal reward systems: faithful to the papers, strict by default, the same number in every trainer.",
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sightline {__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options of every command."""


for command in (systems, show, score, serve, view, train, export, check, audit, lab, demo):
    app.command()(command)


def _say(error: BaseException, message: str) -> None:
    for line in (message, *getattr(error, "__notes__", ())):
        print(line, file=sys.stderr)


if __name__ == "__main__":
    app()
