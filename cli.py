"""The command `luutru`: parse, call, print."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from pipeline import VERSION

SECTIONS = (
    ("Archive packages", ("ingest", "decide", "validate", "identify", "characterise", "verify-signature")),
    ("Convert formats", ("normalise", "rules")),
    ("Look and hand out", ("show", "formats", "export", "status", "text")),
    ("Keep watch", ("audit", "journal", "catalogue", "signatures")),
    ("Set up and run", ("store", "doctor", "up", "down")),
)


ENCODINGS = (
    *("tcvn3", "tcvn3-h", "vni", "viscii", "vps", "cp1258", "tcvn5712"),
    *("viqr", "utf-8", "utf-16-le", "utf-16-be"),
)
"""What `text --from` takes: all that pipeline.text reads, written out so that help stays fast."""


class Place(click.Path):
    """A path; an empty word (`"$UNSET"`) is a mistake, never the folder where one stands."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("an empty path", param, ctx)
        return super().convert(value, param, ctx)


class Sections(click.Group):
    """Help that lists the commands by what a person wants to do."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, names in SECTIONS:
            with formatter.section(title):
                formatter.write_dl([(name, self.commands[name].get_short_help_str(80)) for name in names])

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for _, names in SECTIONS for name in names]


class Example(click.Command):
    """A command whose help ends with an example that works."""

    def __init__(self, *args: Any, example: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.example = example

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.example:
            with formatter.section("Example"):
                for line in self.example.splitlines():
                    formatter.write_text(line)


def json_option(command: Any) -> Any:
    """`--json` and `--lang`, which every command takes."""
    language = click.Choice(["vi", "en"])
    command = click.option("--lang", type=language, help="Language of texts for people.")(command)
    return click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")(command)


def report_option(command: Any) -> Any:
    """`--report`, of the commands that judge packages."""
    said = "Write a report too: a file that ends in .html, .pdf, .csv or .xlsx; may be given several times."
    return click.option("--report", "reports", multiple=True, metavar="FILE", type=Place(), help=said)(command)


@click.group(cls=Sections, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, prog_name="luutru")
def luutru() -> None:
    """A digital preservation pipeline that an archive can prove.

    Submission packages become archival packages in several stores; stored copies are watched for ever after.
    """


@luutru.command(cls=Example, example="luutru ingest sample_packages/* --json")
@click.argument("paths", nargs=-1, required=True, type=Place())
@click.option("--batch", is_flag=True, help="Each PATH is a folder whose children are packages.")
@click.option("--profile", default="eark", show_default=True, help="What this archive asks of packages.")
@click.option("--kind", help="Take the packages as this kind instead of recognising it.")
@click.option("--queue", is_flag=True, help="Hand the packages to the worker that `luutru up` started.")
@report_option
@json_option
def ingest(paths: tuple[Path, ...], **options: Any) -> None:
    """Bring packages the whole way into the stores."""
    from commands import ingest as run

    _end(run.ingest(paths, **options))


@luutru.command(cls=Example, example="luutru validate my-package.zip --kind bagit")
@click.argument("paths", nargs=-1, required=True)
@click.option("--profile", help="Judge by a profile too; without it the standard alone counts.")
@click.option("--profile-url", metavar="URL|FILE", help="Hold bags against this BagIt profile (JSON) too.")
@click.option("--kind", help="Take the packages as this kind instead of recognising it.")
@click.option("--set", "sets", metavar="tt05.KEY=VALUE", multiple=True,
              help="Change a setting of the profile for packages of Circular 05/2025.")  # fmt: skip
@report_option
@json_option
def validate(paths: tuple[str, ...], **options: Any) -> None:
    """Judge packages, or a stored AIP by its id; nothing is stored."""
    from commands import validate as run

    _end(run.validate(paths, **options))


@luutru.command(cls=Example, example="luutru identify scans/ letters.zip --format csv")
@click.argument("paths", nargs=-1, required=True)
@click.option("--engine", type=click.Choice(["siegfried", "fido", "both"]), default="both", show_default=True,
              help="Whose opinion is asked.")  # fmt: skip
@click.option("--format", "shape", type=click.Choice(["table", "jsonl", "csv"]), default="table", show_default=True,
              help="How it is told; jsonl is what --json gives.")  # fmt: skip
@click.option("--archives", is_flag=True, help="Look into archives inside folders and archives too.")
@json_option
def identify(paths: tuple[str, ...], **options: Any) -> None:
    """Tell the format of every file by PRONOM: of folders, files, archives, or of a stored AIP by its id."""
    from commands import identify as run

    _end(run.identify(paths, **options))


@luutru.command(cls=Example, example="luutru characterise scans/ --json")
@click.argument("paths", nargs=-1, required=True, type=Place())
@json_option
def characterise(paths: tuple[Path, ...], **options: Any) -> None:
    """Tell what files are technically, and whether they are whole; an archive is one file."""
    from commands import characterise as run

    _end(run.characterise(paths, **options))


@luutru.command("verify-signature", cls=Example, example="luutru verify-signature hop-dong.pdf --trust roots/")
@click.argument("paths", nargs=-1, required=True, type=Place())
@click.option("--trust", "roots", multiple=True, metavar="PATH", type=Place(),
              help="Trusted roots and CRLs (PEM, DER), file or folder, instead of those of the settings.")  # fmt: skip
@click.option("--at", metavar="TIME", type=click.DateTime(("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z")),
              help="Judge certificates at this time (2026-11-28, 2026-11-28T09:00:00+0700), not now.")  # fmt: skip
@json_option
def verify_signature(paths: tuple[Path, ...], **options: Any) -> None:
    """Verify the digital signatures of files, offline: integrity, trust and coverage."""
    from commands import verify_signature as run

    _end(run.verify(paths, **options))


@luutru.command(cls=Example, example="luutru normalise --dry-run sample_packages/accepted--ok--anh-tu-lieu")
@click.argument("paths", nargs=-1, required=True, type=Place())
@click.option("--dry-run", "dry", is_flag=True, required=True, help="Say what would happen; ingest is what does it.")
@click.option("--rules", default="default", show_default=True, metavar="NAME|FILE", help="The set of rules.")
@json_option
def normalise(paths: tuple[Path, ...], dry: bool, **options: Any) -> None:
    """Tell which files would be converted by which rule, in how much time and space."""
    from commands import rules as run

    _end(run.dry_run(paths, **options))


@luutru.group()
def rules() -> None:
    """Check the rules of normalisation, ask which one is about a file."""


@rules.command("check", cls=Example, example="luutru rules check profiles/normalisation/images.toml")
@click.argument("asked", metavar="[NAME|FILE]", default="default")
@json_option
def rules_check(asked: str, as_json: bool, lang: str | None) -> None:
    """Read a set of rules, name file and key of what is wrong, say what lacks here to run each."""
    from commands import rules as run

    _end(run.check(asked, as_json=as_json, lang=lang))


@rules.command("explain", cls=Example, example="luutru rules explain tests/data/vietnamese/image/page.bmp")
@click.argument("file", type=Place())
@click.option("--rules", "asked", default="default", show_default=True, metavar="NAME|FILE", help="The set of rules.")
@json_option
def rules_explain(file: Path, asked: str, as_json: bool, lang: str | None) -> None:
    """Say which rule is about a file and why, what it would do, which program lacks."""
    from commands import rules as run

    _end(run.explain(file, asked, as_json=as_json, lang=lang))


@luutru.command(cls=Example, example="luutru show 6f1c2f0e")
@click.argument("aip")
@json_option
def show(aip: str, as_json: bool, lang: str | None) -> None:
    """Show what is in an AIP, its history and its copies."""
    from commands import holdings as run

    _end(run.show(aip, as_json=as_json, lang=lang))


@luutru.command(cls=Example, example="luutru formats --report formats.html")
@click.option("--report", "reports", multiple=True, metavar="FILE", type=Place(),
              help="Write a report too: a file that ends in .html or .csv; may be given several times.")  # fmt: skip
@click.option("--files", type=click.IntRange(0), default=1000, show_default=True,
              help="Most files named of those not identified, and of those with two opinions.")  # fmt: skip
@json_option
def formats(reports: tuple[Path, ...], files: int, as_json: bool, lang: str | None) -> None:
    """Show which formats the whole holdings have, and which files nobody knows or the engines differ on."""
    from commands import formats as run

    _end(run.formats(reports, files=files, as_json=as_json, lang=lang))


@luutru.command(cls=Example, example='luutru decide ho-so-2019/ --accept --by "Nguyễn Văn Mẫu" --why "Ảnh gốc là BMP"')
@click.argument("package", type=Place())
@click.option("--accept", "answer", flag_value="accept", help="Go on; of FMT-GROWTH: keep the preservation copies.")
@click.option("--originals", "answer", flag_value="originals", help="Of FMT-GROWTH: keep the originals alone.")
@click.option("--by", required=True, metavar="NAME", help="Who decides; stands in PREMIS.")
@click.option("--why", default="", metavar="TEXT", help="The reason; stands in PREMIS.")
@json_option
def decide(package: Path, answer: str | None, by: str, why: str, as_json: bool, lang: str | None) -> None:
    """Answer what an ingest of PACKAGE waits for; the same ingest command goes on."""
    from commands import decide as run

    _end(run.decide(package, wanted=answer, by=by, why=why, as_json=as_json, lang=lang))


@luutru.command(cls=Example, example="luutru export 6f1c2f0e out/")
@click.argument("aip")
@click.argument("folder", metavar="DIR", type=Place())
@click.option("--version", help="A version other than the newest, as v1.")
@click.option(
    "--as",
    "shape",
    type=click.Choice(["aip", "eark-dip", "bagit"]),
    default="aip",
    show_default=True,
    help="As it is stored, as a DIP by E-ARK, or in a BagIt bag.",
)
@click.option("--access", is_flag=True, help="Put reading copies (JPEG, MP4, M4A) into the DIP, made now.")
@click.option("--rules", metavar="NAME|FILE", help="The rules that make reading copies.  [default: default]")
@json_option
def export(
    aip: str, folder: Path, version: str | None, shape: str, access: bool, rules: str | None, as_json: bool,
    lang: str | None,
) -> None:  # fmt: skip
    """Write a stored version byte for byte into DIR, or a DIP or a bag made of it."""
    from commands import holdings as run

    wanted = (rules or "default") if access or rules else None
    _end(run.export(aip, folder, version=version, shape=shape, access=wanted, as_json=as_json, lang=lang))


@luutru.command(cls=Example, example="luutru status")
@json_option
def status(as_json: bool, lang: str | None) -> None:
    """Show what runs, waits, fails and is overdue."""
    from commands import holdings as run

    _end(run.status(as_json=as_json, lang=lang))


@luutru.command(cls=Example, example="luutru audit --store vault")
@click.option("--store", help="Only the copies in this store.")
@click.option("--aip", help="Only the copies of this AIP.")
@click.option("--plan", is_flag=True, help="Say what is due, read nothing.")
@click.option("--budget", help="Stop after so much: 500GB, 2h or 1000 (copies).")
@json_option
def audit(store: str | None, aip: str | None, plan: bool, budget: str | None, as_json: bool, lang: str | None) -> None:
    """Read stored copies again and say whether they are intact."""
    from commands import audit as run

    _end(run.audit(store=store, aip=aip, plan=plan, budget=budget, as_json=as_json, lang=lang))


@luutru.group()
def journal() -> None:
    """Check the record of everything that happened."""


@journal.command("verify", cls=Example, example="luutru journal verify")
@json_option
def journal_verify(as_json: bool, lang: str | None) -> None:
    """Follow the chain of digests through every journal, in every store."""
    from commands import audit as run

    _end(run.verify_journal(as_json=as_json, lang=lang))


@luutru.group()
def catalogue() -> None:
    """Make the catalogue anew from the stores."""


@catalogue.command("rebuild", cls=Example, example="luutru catalogue rebuild --from vault")
@click.option("--from", "store", help="The store to read; the first reachable one if not given.")
@json_option
def catalogue_rebuild(store: str | None, as_json: bool, lang: str | None) -> None:
    """Read the catalogue from one store alone."""
    from commands import holdings as run

    _end(run.rebuild(store, as_json=as_json, lang=lang))


@luutru.group()
def signatures() -> None:
    """See by which signatures formats are told, and take in newer ones."""


@signatures.command("list", cls=Example, example="luutru signatures list")
@json_option
def signatures_list(as_json: bool, lang: str | None) -> None:
    """List the signatures of both engines, ours and those taken in; a star marks those in force."""
    from commands import signatures as run

    _end(run.listed(as_json=as_json, lang=lang))


@signatures.command("update", cls=Example, example="luutru signatures update pronom-signatures.zip --version V126")
@click.argument("files", nargs=-1, required=True, type=Place())
@click.option("--version", metavar="V126", help="PRONOM's version of the JSON records, where no file name tells it.")
@json_option
def signatures_update(files: tuple[Path, ...], version: str | None, as_json: bool, lang: str | None) -> None:
    """Try new signatures and put them in force, or say why not.

    FILE is PRONOM's JSON records (tar, zip), DROID's container signatures (XML) or a .sig file of siegfried.
    Running ingests go on with those that they began with.
    """
    from commands import signatures as run

    _end(run.update(files, version=version, as_json=as_json, lang=lang))


@luutru.command("text", cls=Example, example="luutru text tests/data/vietnamese/text/tcvn3.txt --to utf-8")
@click.argument("paths", nargs=-1, metavar="[FILE]...", type=Place())
@click.option("--stdin", is_flag=True, help="Read the text from standard input.")
@click.option("--from", "encoding", type=click.Choice(ENCODINGS), help="Its encoding, when you know it better.")
@click.option("--to", type=click.Choice(["utf-8"]), help="Write the text as UTF-8 (NFC) on standard output.")
@click.option("--output", metavar="DIR", type=Place(), help="Write the texts as UTF-8 into DIR; nothing is replaced.")
@json_option
def text_(paths: tuple[Path, ...], **options: Any) -> None:
    """See what encoding old Vietnamese texts are in, and convert them."""
    from commands import text as run

    _end(run.text(paths, **options))


@luutru.group()
def store() -> None:
    """Add stores and see what they can do."""


@store.command("add", cls=Example, example="luutru store add vault file:///srv/vault")
@click.argument("name")
@click.argument("url")
@click.option("--endpoint", help="Address of an S3 server other than AWS.")
@click.option("--aws-profile", help="Named AWS profile with the store's keys.")
@click.option("--credentials-file", type=click.Path(path_type=Path), help="File of mode 0600 with the store's keys.")
@click.option("--verify", type=click.Choice(["read", "server"]), default="read", show_default=True)
@click.option("--site", default="", help="Place where the store is, for counting sites.")
@json_option
def store_add(name: str, url: str, as_json: bool, lang: str | None, **options: Any) -> None:
    """Add a store after trying what it can do."""
    from commands import stores as run

    _end(run.add(name, url, as_json=as_json, lang=lang, **options))


@store.command("list", cls=Example, example="luutru store list")
@json_option
def store_list(as_json: bool, lang: str | None) -> None:
    """List the stores and whether they can be reached."""
    from commands import stores as run

    _end(run.listed(as_json=as_json, lang=lang))


@store.command("probe", cls=Example, example="luutru store probe vault")
@click.argument("name")
@json_option
def store_probe(name: str, as_json: bool, lang: str | None) -> None:
    """Try again what a store can do."""
    from commands import stores as run

    _end(run.probe(name, as_json=as_json, lang=lang))


@luutru.command(cls=Example, example="luutru doctor")
@json_option
def doctor(as_json: bool, lang: str | None) -> None:
    """Check tools, versions, permissions and stores."""
    from commands import stores as run

    _end(run.doctor(as_json=as_json, lang=lang))


@luutru.command(cls=Example, example="luutru up")
@json_option
def up(as_json: bool, lang: str | None) -> None:
    """Start Prefect's server, the worker and the embedded S3 server."""
    from commands import services as run

    _end(run.up(as_json=as_json, lang=lang))


@luutru.command(cls=Example, example="luutru down")
@json_option
def down(as_json: bool, lang: str | None) -> None:
    """Stop everything that `luutru up` started for this data folder."""
    from commands import services as run

    _end(run.down(as_json=as_json, lang=lang))


def _end(code: int) -> None:
    """Leaves with an exit code of the contract."""
    import gc

    gc.freeze()  # nothing is looked through once more before all of it goes
    sys.exit(code)


def main() -> None:
    """Entry point: usage faults of click become exit 2 with a document where `--json` was asked."""
    from commands.frame import usage_fault

    try:
        luutru(standalone_mode=False)
    except click.exceptions.Exit as leaving:
        sys.exit(leaving.exit_code)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as fault:
        sys.exit(usage_fault(fault, sys.argv[1:]))
