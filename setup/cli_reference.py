"""Writes `docs/cli.md` from the help of the commands.

python setup/cli_reference.py            writes it
python setup/cli_reference.py --check    exit 1 when the page is not what the commands say
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

PROJECT = Path(__file__).resolve().parent.parent
PAGE = PROJECT / "docs" / "cli.md"
WIDTH = 100

HEAD = """\
# Command line reference

Made by `setup/cli_reference.py` from the commands' own help; a test compares.
What scripts may rely on (exit codes, JSON, recognition) is in [contract.md](contract.md).
"""


def page() -> str:
    """The whole page."""
    sys.path.insert(0, str(PROJECT))
    from cli import luutru

    parts = [HEAD]
    for names, helped in helps(luutru, ("luutru",)):
        parts.append(f"{'#' * min(len(names) + 1, 4)} `{' '.join(names)}`\n\n```text\n{helped}\n```\n")
    return "\n".join(parts)


def helps(
    command: click.Command, names: tuple[str, ...], above: click.Context | None = None
) -> Iterator[tuple[tuple[str, ...], str]]:
    """The help of a command and of everything below it, as wide on every machine."""
    settings = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    context = click.Context(command, info_name=names[-1], parent=above, **settings)
    yield names, "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None and not below.hidden:
                yield from helps(below, (*names, name), context)


def main(arguments: list[str]) -> int:
    made = page()
    if "--check" in arguments:
        if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == made:
            return 0
        print("docs/cli.md is not what the commands say: run python setup/cli_reference.py", file=sys.stderr)
        return 1
    PAGE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
