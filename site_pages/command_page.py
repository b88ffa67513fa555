"""The page of the command line, in the words that `--help` prints."""

from __future__ import annotations

from site_pages.markdown import block


def page() -> str:
    """Every command with its help."""
    import typer

    from sightline.cli.main import app

    group = typer.main.get_command(app)
    pieces = ["# Command line\n"]
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        context = command.make_context(f"sightline {name}", [], resilient_parsing=True, max_content_width=100)
        pieces.append(f"## {name}\n\n{block(command.get_help(context), 'console')}")
    return "\n".join(pieces)
