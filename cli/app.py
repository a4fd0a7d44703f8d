"""The command `ratedb`: the options before the commands, and the commands, one file each."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.main import get_command

from ratedb.errors import RatedbError, UsageError
from ratedb.store.waiting import DEFAULT_WAIT_S, tell_of_waiting

from . import (
    backup,
    check,
    cite,
    compare,
    corpus,
    demo,
    derive,
    doctor,
    evaluate,
    export,
    fill,
    impact,
    import_,
    lines,
    merge,
    mix,
    plan,
    publish,
    repair,
    report,
    reproduce,
    serve,
    show,
    sources,
    sql,
    systems,
    train,
    verify,
)
from . import (
    next as next_,
)
from .group import SafeGroup
from .interrupt import exit_code, watch
from .logs import listen
from .output import Context, printable
from .versions import show_version

app = typer.Typer(
    name="ratedb",
    cls=SafeGroup,
    help="Collisional rate coefficients: compute a few initial j, predict the rest, know the error.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


_Verbose = Annotated[
    int,
    typer.Option(
        "-v",
        "--verbose",
        count=True,
        show_default=False,
        metavar="",
        help="Say on standard error what is done; -vv says more.",
    ),
]
_Version = Annotated[
    bool,
    typer.Option(
        "--version",
        callback=show_version,
        is_eager=True,
        help="Print the versions of ratedb and of the libraries it uses.",
    ),
]


@app.callback()
def common(
    context: typer.Context,
    db: Annotated[Path, typer.Option("--db", envvar="RATEDB_DB", help="The database file.")] = Path(
        "ratedb.duckdb"
    ),
    as_json: Annotated[
        bool, typer.Option("--json", is_eager=True, help="Print exactly one JSON object on standard output.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
    wait: Annotated[
        float,
        typer.Option(
            "--wait",
            envvar="RATEDB_WAIT",
            metavar="SECONDS",
            help="How long to wait in all for others that use the database; 0 for not at all.",
        ),
    ] = DEFAULT_WAIT_S,
    verbose: _Verbose = 0,
    version: _Version = False,
) -> None:
    """Collisional rate coefficients: compute a few initial j, predict the rest, know the error."""
    if isinstance(context.obj, RatedbError) and context.invoked_subcommand != "doctor":
        raise context.obj  # what is wrong with the config file
    context.obj = Context(db, as_json, quiet, wait)
    listen(verbose, quiet=quiet)
    tell_of_waiting(context.obj.say)


_COMMANDS: dict[str, Callable[..., None]] = {
    "import": import_.import_command,
    "systems": systems.systems_command,
    "show": show.show_command,
    "sources": sources.sources_command,
    "compare": compare.compare_command,
    "check": check.check_command,
    "plan": plan.plan_command,
    "next": next_.next_command,
    "reproduce": reproduce.reproduce_command,
    "corpus": corpus.corpus_command,
    "train": train.train_command,
    "evaluate": evaluate.evaluate_command,
    "fill": fill.fill_command,
    "derive": derive.derive_command,
    "mix": mix.mix_command,
    "export": export.export_command,
    "cite": cite.cite_command,
    "report": report.report_command,
    "impact": impact.impact_command,
    "lines": lines.lines_command,
    "verify": verify.verify_command,
    "sql": sql.sql_command,
    "demo": demo.demo_command,
    "repair": repair.repair_command,
    "merge": merge.merge_command,
    "backup": backup.backup_command,
    "publish": publish.publish_command,
    "serve": serve.serve_command,
    "doctor": doctor.doctor_command,
}
for _name, _run in _COMMANDS.items():
    # Typer would end a summary at its first full stop.
    app.command(_name, short_help=(_run.__doc__ or "").partition("\n")[0])(_run)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code; a user's mistake is one message."""
    arguments = _common_first(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in arguments
    watch()
    try:
        try:
            _refuse_moved(arguments)
            _command()(arguments, prog_name="ratedb")
        finally:
            sys.stdout.flush()  # a full disk is noticed here, not when Python ends
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
        if code == UsageError.exit_code and as_json:
            # Typer has explained the mistake on standard error.
            print(json.dumps({"error": {"what": "the command line is invalid", "exit_code": code}}))
        return exit_code() or code
    except Exception as error:
        if (interrupted := exit_code()) is not None:
            return interrupted  # a library that Ctrl-C reached while it was imported may raise anything
        if isinstance(error, OSError):
            # A path that the system refuses (too long, no permission), or a full device.
            where = str(error.filename or "standard output")
            error = RatedbError("cannot read or write", where=where, got=error.strerror)
        if isinstance(error, MemoryError):
            error = RatedbError("the memory is full", todo="work on fewer values, or free memory")
        if isinstance(error, RatedbError):
            return _say(error, as_json)
        raise
    return 0


@cache
def _command() -> Any:
    """Return Typer's command object, made once because that takes a tenth of a second."""
    return get_command(app)


def _say(error: RatedbError, as_json: bool) -> int:
    print(printable(f"ratedb: {error}"), file=sys.stderr)
    if as_json:
        print(json.dumps({"error": error.to_json()}))
    return error.exit_code


def _refuse_moved(arguments: list[str]) -> None:
    """Raise UsageError for what is now another command."""
    if "plan" in arguments and "--next" in arguments:
        raise UsageError(
            "`plan --next` is now the command `next`",
            expected="ratedb next SYSTEM",
            got="ratedb plan --next",
        )


_ALONE = ("--json", "--quiet", "--verbose", "-v", "-vv")


def _common_first(arguments: list[str]) -> list[str]:
    """Move --json, --quiet, -v, --db and --wait to the front: they may also follow the command."""
    front: list[str] = []
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--":
            rest += [argument, *waiting]
        elif argument in _ALONE or argument.startswith(("--db=", "--wait=")):
            front.append(argument)
        elif argument in ("--db", "--wait"):
            front += [argument, *([value] if (value := next(waiting, None)) is not None else [])]
        else:
            rest.append(argument)
    return front + rest
