"""The whole job on real data: plan, import a few j, train, fill, evaluate, export, run RADEX, draw."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from ratedb.options import (
    DemoOptions,
    EvaluateOptions,
    ExportOptions,
    FillOptions,
    ImportOptions,
    Progress,
    ReportOptions,
    TrainOptions,
    VerifyOptions,
    silent,
)
from ratedb.plots.evaluation import draw_evaluation
from ratedb.plots.figures import plots_available
from ratedb.radiative.solving import chosen_solver, name_of_solver
from ratedb.report.installed import report_available
from ratedb.verbs.demo_file import shipped_file
from ratedb.verbs.demo_folder import DemoFolder, open_folder
from ratedb.verbs.demo_summary import DemoResult, bright_lines
from ratedb.verbs.demo_work import DemoWork, work_on
from ratedb.verbs.evaluate import evaluate
from ratedb.verbs.export import export
from ratedb.verbs.fill import fill
from ratedb.verbs.import_ import import_files
from ratedb.verbs.plan import plan
from ratedb.verbs.report import report as write_page
from ratedb.verbs.train import train
from ratedb.verbs.verify import verify

_SHIPPED_ORIGIN = ImportOptions(method="CC, CS at high energies", reference="Yang et al. 2010, ApJ 718, 1062")


def demo(
    folder: Path, options: DemoOptions, report: Progress = silent, progress: Progress = silent
) -> DemoResult:
    """Run the demo in a folder, which is made if need be; steps that an earlier run did are not repeated.

    Without a file the CO rates of Yang et al. (2010) that the spectralradex package ships are used, or those
    of `molecule`; any LAMDA file of a linear molecule or a top will do. Picture and page are left out, with a
    note in the result, where their packages are not installed. `report` is told each step, `progress`
    what happens within one. Raises RatedbError where there is no file, it has too few initial states, or the
    folder holds a demo of another one.
    """
    start = perf_counter()
    file = options.file or shipped_file(options.molecule)
    work = work_on(file, options.molecule)
    origin = ImportOptions() if options.file or options.molecule else _SHIPPED_ORIGIN
    systems = work.systems
    run = open_folder(folder, file, report)
    planned = run.step(
        "plan",
        f"plan which initial {work.name} to compute",
        lambda: (
            plan(run.db, systems[0], work.wanted).to_json() | {"systems": systems, "target_j": work.wanted.j}
        ),
    )
    few = work.few(origin, planned["chosen"])
    run.step(
        "import",
        f"import only those {work.name}; the rest is held out",
        lambda: import_files(run.db, [file], few).to_json(),
    )
    found = {system: _predict(run, system, work.training(planned), file, progress) for system in systems}
    exported = run.step(
        "export",
        "export the filled LAMDA file with its provenance",
        lambda: export(run.db, systems, folder / "filled.dat", ExportOptions(j_max=work.j_max)).to_json(),
    )
    run.step("truth", "export the true file, to compare with", lambda: _export_truth(run, work, file, origin))
    program = name_of_solver(chosen_solver("auto"))
    verified = run.step("verify", f"run {program} on the true and the filled file", lambda: _verify(folder))
    page = run.step("report", "make a page of the systems", lambda: _page(run, systems))
    trained, filled, evaluated = (
        {system: steps[step] for system, steps in found.items()} for step in ("train", "fill", "evaluate")
    )
    seconds = perf_counter() - start
    return DemoResult(
        systems, str(folder), planned, trained, filled, evaluated, exported, verified, page, seconds
    )


def _predict(
    run: DemoFolder, system: str, options: TrainOptions, file: Path, progress: Progress
) -> dict[str, dict[str, Any]]:
    """Train on a system, fill what is missing and evaluate it against the file."""
    trained = run.step(
        f"train {system}",
        f"train on {system}; what is left out chooses the models",
        lambda: train(run.db, system, options, progress).to_json(),
    )
    model_id = trained["model_id"]
    filled = run.step(
        f"fill {system}",
        f"fill what is missing of {system}",
        lambda: fill(run.db, system, FillOptions(model=model_id)).to_json(),
    )
    evaluated = run.step(
        f"evaluate {system}",
        f"evaluate {system} against the held-out truth",
        lambda: _evaluate(run, system, model_id, options.train_j or (), file),
    )
    return {"train": trained, "fill": filled, "evaluate": evaluated}


def _evaluate(
    run: DemoFolder, system: str, model_id: int, train_j: Sequence[int], file: Path
) -> dict[str, Any]:
    evaluation = evaluate(run.db, model_id, EvaluateOptions(truth=file))
    picture = run.path / f"{system.replace('+', '_')}.png" if plots_available() else None
    if picture is not None:
        draw_evaluation(evaluation, train_j, picture)
    return {**evaluation.to_json(), "picture": None if picture is None else str(picture)}


def _export_truth(run: DemoFolder, work: DemoWork, file: Path, origin: ImportOptions) -> dict[str, Any]:
    db = run.path / "truth.duckdb"
    import_files(db, [file], origin)
    return export(db, work.systems, run.path / "true.dat", ExportOptions(j_max=work.j_max)).to_json()


def _verify(folder: Path) -> dict[str, Any]:
    found = verify(folder / "filled.dat", VerifyOptions(against=folder / "true.dat"))
    return {**found.to_json(), "bright": bright_lines(found)}


def _page(run: DemoFolder, systems: list[str]) -> dict[str, Any]:
    if not report_available():
        return {"skipped": "Bokeh is not installed (pip install 'ratedb[report]')"}
    return write_page(run.db, systems, run.path / "report.html", ReportOptions()).to_json()
