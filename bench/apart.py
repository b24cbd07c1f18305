"""`luutru` with one engine of identification (siegfried) and no examination of files: `python -m bench.apart ingest …`.

The yardsticks of an ingest do no more than that, so this tells what the second engine and the examination cost. It is
no setting: what it makes is an AIP that says less than ours have to.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def main() -> None:
    from pipeline.content import characterisation, reading

    whole = reading.read_all

    def read_all(*arguments: Any, **named: Any) -> Iterator[Any]:
        return whole(*arguments, **{**named, "engines": "siegfried", "examine": None})

    def examine_all(*_arguments: Any, **_named: Any) -> Iterator[Any]:
        return iter(())

    setattr(reading, "EXAMINERS", reading.WORKERS)  # noqa: B010 - it is another tuple
    reading.read_all = read_all
    characterisation.examine_all = examine_all
    from cli import main as command

    command()


if __name__ == "__main__":
    main()
