"""The whole job on real data: plan, import a few j, train, fill, evaluate, export, run RADEX, draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from ratedb.errors import RatedbError
from ratedb.io.registry import read_rates
from ratedb.options import (
    DemoOptions,
    EvaluateOptions,
    ExportOptions,
    FillOptions,
    ImportOptions,
    PlanOptions,
    Progress,
    TrainOptions,
    VerifyOptions,
    silent,
)
from ratedb.plots.evaluation import draw_evaluation
from ratedb.plots.figures import plots_available
from ratedb.radiative.radex import lamda_folder, radex_available
from ratedb.results import Result
from ratedb.verbs.demo_folder import DemoFolder, open_folder
from ratedb.verbs.demo_summary import bright_lines, summary_rows
from ratedb.verbs.evaluate import evaluate
from ratedb.verbs.export import export
from ratedb.verbs.fill import fill
from ratedb.verbs.import_ import import_files
from ratedb.verbs.plan import plan
from ratedb.verbs.train import train
from ratedb.verbs.verify import verify

# The paper's setting: j <= 5 is known, four training j, initial j up to 20.
_GIVEN_UP_TO, _J_MAX, _TRAINING_SETS = 5, 20, 4
_SHIPPED_FILE = "co.dat"
_SHIPPED_ORIGIN = ImportOptions(method="CC, CS at high energies", reference="Yang et al. 2010, ApJ 718, 1062")


@dataclass(frozen=True, repr=False)
class DemoResult(Result):
    """What the steps of a demo found, as JSON values; `train`, `fill` and `evaluate` are by system.

    `metrics` and `baseline` are those of the first system and of interpolation in j; `answers`, in JSON
    `summary`, has a row for each question about the filled file.
    """

    system: str
    systems: list[str]
    folder: str
    plan: dict[str, Any]
    train: dict[str, Any]
    fill: dict[str, Any]
    metrics: dict[str, Any]
    baseline: dict[str, Any]
    evaluate: dict[str, Any]
    export: dict[str, Any]
    verify: dict[str, Any]
    picture: str | None
    answers: list[dict[str, str]]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        values = super().to_json()
        return values | {"summary": values.pop("answers")}

    def summary(self) -> str:
        """Return what was worked on, and where."""
        return f"{' '.join(self.systems)} in {self.folder}"


def demo(
    folder: Path, options: DemoOptions, report: Progress = silent, progress: Progress = silent
) -> DemoResult:
    """Run the demo in a folder, which is made if need be; steps that an earlier run did are not repeated.

    Without a file the CO rates of Yang et al. (2010) that the spectralradex package ships are used; any
    LAMDA file with v, j labels will do. RADEX and the picture are left out, with a note in the result, where
    their packages are not installed. `report` is told each step, `progress` what happens within one. Raises
    RatedbError where there is no file, it has too few j, or the folder holds a demo of another one.
    """
    start = perf_counter()
    file, origin = (options.file, ImportOptions()) if options.file else (_shipped_file(), _SHIPPED_ORIGIN)
    wanted, systems = _wanted(file)
    run = open_folder(folder, file, report)
    planned = run.step("plan", "plan which initial j to compute", lambda: _plan(run, wanted, systems))
    few = replace(origin, j=_explicit_j(planned["chosen"]))
    run.step("import", "import only those j; the rest is held out", lambda: _import(run.db, file, few))
    found = {system: _predict(run, system, planned, file, progress) for system in systems}
    for name, words, work in (
        ("export", "export the filled LAMDA file with its provenance", lambda: _export(run, systems)),
        ("truth", "export the true file, to compare with", lambda: _export_truth(run, systems, file, origin)),
        ("verify", "run RADEX on the true and the filled file", lambda: _verify(folder)),
    ):
        run.step(name, words, work)
    first = found[systems[0]]["evaluate"]
    return DemoResult(
        system=systems[0],
        systems=systems,
        folder=str(folder),
        plan=planned,
        **{
            step: {name: steps[step] for name, steps in found.items()}
            for step in ("train", "fill", "evaluate")
        },
        metrics=first["model"],
        baseline=first["baselines"]["interpolation"],
        export=run.steps["export"],
        verify=run.steps["verify"],
        picture=first["picture"],
        answers=summary_rows(planned, first, run.steps["verify"]),
        seconds=perf_counter() - start,
    )


def _shipped_file() -> Path:
    source = lamda_folder()
    if source is None:
        raise RatedbError(
            "the demo's data file is not installed",
            expected="the package spectralradex, which ships it (Linux, CPython 3.11)",
            got="no such package",
            todo="run `ratedb demo --file co.dat` with any LAMDA file",
        )
    return source / _SHIPPED_FILE


def _wanted(path: Path) -> tuple[PlanOptions, list[str]]:
    """Return what to plan and for which systems; raises RatedbError where the file has too few j."""
    file = read_rates(path)
    v, j = file.levels.need_vj()
    target = tuple(range(_GIVEN_UP_TO, min(_J_MAX, int(j.max())) + 1))
    tables = [partner.rates for partner in file.partners]
    systems = [rates.system for rates in tables if set(target) <= set(rates.initial_j().tolist())]
    if not systems or len(target) < 2 * _TRAINING_SETS:
        raise RatedbError(
            "the file has too few j for the demo",
            where=str(path),
            expected=f"a collider with rates out of every j = {_GIVEN_UP_TO}..12 or more",
            got=f"levels up to j = {int(j.max())}",
            todo="name another LAMDA file with --file",
        )
    systems.sort(key=lambda system: not system.endswith("+p-H2"))
    wanted = PlanOptions(target, v_max=int(v.max()), given_j=(_GIVEN_UP_TO,), sizes=(_TRAINING_SETS,))
    return wanted, systems


def _plan(run: DemoFolder, wanted: PlanOptions, systems: list[str]) -> dict[str, Any]:
    found = plan(run.db, systems[0], wanted).to_json()
    return {**found, "systems": systems, "target_j": list(wanted.j or ())}


def _explicit_j(chosen: dict[str, Any]) -> tuple[int, ...]:
    return tuple(sorted({*range(_GIVEN_UP_TO + 1), *chosen["train_j"], *chosen["validate_j"]}))


def _import(db: Path, file: Path, options: ImportOptions) -> dict[str, Any]:
    return import_files(db, [file], options).to_json()


def _predict(
    run: DemoFolder, system: str, planned: dict[str, Any], file: Path, progress: Progress
) -> dict[str, dict[str, Any]]:
    """Train on a system, fill what is missing and evaluate it against the file."""
    train_j, validate_j = (tuple(planned["chosen"][name]) for name in ("train_j", "validate_j"))
    options = TrainOptions(train_j=train_j, validate_j=validate_j, j=tuple(planned["target_j"]))
    trained = run.step(
        f"train {system}",
        f"train on {system}; unseen j choose the models",
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
        lambda: _evaluate(run, system, model_id, train_j, file),
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


def _export(run: DemoFolder, systems: list[str]) -> dict[str, Any]:
    return export(run.db, systems, run.path / "filled.dat", ExportOptions(j_max=_J_MAX)).to_json()


def _export_truth(run: DemoFolder, systems: list[str], file: Path, origin: ImportOptions) -> dict[str, Any]:
    db = run.path / "truth.duckdb"
    import_files(db, [file], origin)
    return export(db, systems, run.path / "true.dat", ExportOptions(j_max=_J_MAX)).to_json()


def _verify(folder: Path) -> dict[str, Any]:
    if not radex_available():
        return {"skipped": "RADEX is not installed (pip install 'ratedb[radex]', Linux, CPython 3.11)"}
    found = verify(folder / "filled.dat", VerifyOptions(against=folder / "true.dat"))
    return {**found.to_json(), "bright": bright_lines(found)}
