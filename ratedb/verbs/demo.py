"""The whole job on real data: plan, import a few j, train, fill, evaluate, export, run RADEX, draw.

Everything happens in a folder of its own. What each step found is kept in `demo.json` there, so that a demo
that was stopped goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from ratedb import __version__
from ratedb.errors import RatedbError
from ratedb.files import read_bytes, sha256, write_atomically
from ratedb.io.registry import read_rates
from ratedb.options import EvaluateOptions, FillOptions, ImportOptions, PlanOptions, TrainOptions
from ratedb.plots.evaluation import draw
from ratedb.plots.figures import plots_available
from ratedb.radiative.radex import lamda_folder, radex_available
from ratedb.radiative.verify import to_json
from ratedb.verbs.evaluate import evaluate
from ratedb.verbs.export import ExportOptions, export_systems
from ratedb.verbs.fill import fill
from ratedb.verbs.import_ import import_files
from ratedb.verbs.plan import plan
from ratedb.verbs.train import train
from ratedb.verbs.verify import verify_files

# The paper's setting: nothing above j = 5 is there yet, four training j, initial j up to 20.
_GIVEN_UP_TO = 5
_J_MAX = 20
_TRAINING_SETS = 4
_SHIPPED_FILE = "co.dat"
_SHIPPED_ORIGIN = ImportOptions(method="CC, CS at high energies", reference="Yang et al. 2010, ApJ 718, 1062")
BRIGHT = 0.01
"""Lines of at least this share of the strongest line of their condition are called bright."""

Report = Callable[[str], None]


@dataclass
class _Run:
    """One demo in its folder: the input, the results of the steps so far, and how to report."""

    folder: Path
    file: Path
    report: Report
    detail: Report
    origin: ImportOptions
    state: dict[str, Any] = field(default_factory=dict)
    announced: int = 0

    @property
    def db(self) -> Path:
        return self.folder / "demo.duckdb"

    def step(self, name: str, words: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return what a step found; do it only if no earlier run has."""
        self.announced += 1
        steps = self.state["steps"]
        if name in steps and _still_there(steps[name]):
            self.report(f"{self.announced:2d}  {words} (done before)")
        else:
            self.report(f"{self.announced:2d}  {words}")
            steps[name] = work()
            if "skipped" not in steps[name]:  # what was not installed may be by the next time
                self.save()
        result: dict[str, Any] = steps[name]
        return result

    def save(self) -> None:
        text = json.dumps(self.state, indent=1, default=str)
        write_atomically({self.folder / "demo.json": text.encode()})


def run_demo(
    folder: Path,
    file: Path | None = None,
    *,
    report: Report = lambda text: None,
    detail: Report = lambda text: None,
) -> dict[str, Any]:
    """Run the demo in a folder, which is made if need be, and return everything it found as JSON values.

    Without `file` the CO rates of Yang et al. (2010) that the spectralradex package ships are used; any
    LAMDA file with v, j labels will do. RADEX and the picture are left out, with a word in the result,
    where their packages are not installed. `report` is told each step, `detail` what goes on within.
    Raises RatedbError where there is no file, or the folder holds a demo of another one.
    """
    start = perf_counter()
    run = _start(folder, file, report, detail)
    plan = run.step("plan", "plan which initial j to compute", lambda: _plan(run))
    systems: list[str] = plan["systems"]
    run.step("import", "import only those j; the rest is held out", lambda: _import(run, plan))
    results = {system: _predict_one(run, system, plan) for system in systems}
    run.step("export", "export the filled LAMDA file with its provenance", lambda: _export(run, systems))
    run.step("truth", "export the true file, to compare with", lambda: _export_truth(run, systems))
    run.step("verify", "run RADEX on the true and the filled file", lambda: _verify(run))
    system = systems[0]
    steps = run.state["steps"]
    return {
        "system": system,
        "systems": systems,
        "folder": str(folder),
        "plan": plan,
        "train": {name: result["train"] for name, result in results.items()},
        "fill": {name: result["fill"] for name, result in results.items()},
        "metrics": results[system]["evaluate"]["model"],
        "baseline": results[system]["evaluate"]["baselines"]["interpolation"],
        "evaluate": {name: result["evaluate"] for name, result in results.items()},
        "export": steps["export"],
        "verify": steps["verify"],
        "picture": results[system]["evaluate"]["picture"],
        "summary": _summary(plan, results[system]["evaluate"], steps["verify"]),
        "seconds": perf_counter() - start,
    }


def _start(folder: Path, file: Path | None, report: Report, detail: Report) -> _Run:
    shipped = file is None
    if file is None:
        source = lamda_folder()
        if source is None:
            raise RatedbError(
                "the demo's data file is not here",
                expected="the package spectralradex, which ships it (Linux, CPython 3.11)",
                got="no such package",
                todo="run `ratedb demo --file co.dat` with any LAMDA file",
            )
        file = source / _SHIPPED_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RatedbError(
            "cannot make the demo's folder", where=str(folder), got=error.strerror or str(error)
        ) from error
    run = _Run(folder, file, report, detail, _SHIPPED_ORIGIN if shipped else ImportOptions())
    identity = {"file": file.name, "sha256": sha256(read_bytes(file)), "ratedb_version": __version__}
    run.state = _load_state(folder / "demo.json", identity)
    _request(run)  # a file that will not do is refused before anything is kept
    if not (folder / "demo.json").exists() and run.db.exists():
        raise RatedbError(
            "the folder already holds a database that no demo made",
            where=str(run.db),
            todo="name another folder: ratedb demo FOLDER",
        )
    run.save()
    return run


def _load_state(path: Path, identity: dict[str, str]) -> dict[str, Any]:
    fresh: dict[str, Any] = {"identity": identity, "steps": {}}
    if not path.exists():
        return fresh
    try:
        state = json.loads(read_bytes(path))
        same = state["identity"] == identity and isinstance(state["steps"], dict)
    except (ValueError, KeyError, TypeError):
        same = False
    if not same:
        raise RatedbError(
            "the folder holds a demo of another file or version",
            where=str(path),
            expected=f"a demo of {identity['file']} by ratedb {identity['ratedb_version']}",
            got=_describe(path),
            todo="name that file with --file, another folder (ratedb demo FOLDER), or remove this one",
        )
    result: dict[str, Any] = state
    return result


def _still_there(result: dict[str, Any]) -> bool:
    """Return whether the files of a step are there, also a picture that could not be drawn before."""
    if "picture" in result and result["picture"] is None and plots_available():
        return False
    return all(Path(result[name]).exists() for name in ("path", "picture") if result.get(name))


def _describe(path: Path) -> str:
    try:
        identity = json.loads(read_bytes(path))["identity"]
        return f"a demo of {identity['file']} by ratedb {identity['ratedb_version']}"
    except (ValueError, KeyError, TypeError):
        return "something else"


def _plan(run: _Run) -> dict[str, Any]:
    options, systems = _request(run)
    result = plan(run.db, systems[0], options).to_json()
    return {**result, "systems": systems, "target_j": list(options.j or ())}


def _request(run: _Run) -> tuple[PlanOptions, list[str]]:
    """Return what to plan and for which systems; raises RatedbError where the file will not do."""
    file = read_rates(run.file)
    v, j = file.levels.need_vj()
    target = tuple(range(_GIVEN_UP_TO, min(_J_MAX, int(j.max())) + 1))
    systems = [
        partner.rates.system
        for partner in file.partners
        if set(target) <= set(partner.rates.initial_j().tolist())
    ]
    if not systems or len(target) < 2 * _TRAINING_SETS:
        raise RatedbError(
            "the file has too few j for the demo",
            where=str(run.file),
            expected=f"a collider with rates out of every j = {_GIVEN_UP_TO}..12 or more",
            got=f"levels up to j = {int(j.max())}",
            todo="name another LAMDA file with --file",
        )
    first = next((system for system in systems if system.endswith("+p-H2")), systems[0])
    options = PlanOptions(j=target, given_j=(_GIVEN_UP_TO,), v_max=int(v.max()), sizes=(_TRAINING_SETS,))
    return options, [first, *(system for system in systems if system != first)]


def _explicit_j(plan: dict[str, Any]) -> tuple[int, ...]:
    chosen = plan["chosen"]
    return tuple(sorted({*range(_GIVEN_UP_TO + 1), *chosen["train_j"], *chosen["validate_j"]}))


def _import(run: _Run, plan: dict[str, Any]) -> dict[str, Any]:
    options = ImportOptions(method=run.origin.method, reference=run.origin.reference, j=_explicit_j(plan))
    return import_files(run.db, [run.file], options).to_json()


def _predict_one(run: _Run, system: str, plan: dict[str, Any]) -> dict[str, dict[str, Any]]:
    chosen = plan["chosen"]
    options = TrainOptions(
        train_j=tuple(chosen["train_j"]),
        validate_j=tuple(chosen["validate_j"]),
        j=tuple(plan["target_j"]),
    )
    trained = run.step(
        f"train {system}",
        f"train on {system}; unseen j choose the models",
        lambda: train(run.db, system, options, run.detail).to_json(),
    )
    filled = run.step(
        f"fill {system}",
        f"fill what is missing of {system}",
        lambda: fill(run.db, system, FillOptions(model=trained["model_id"])).to_json(),
    )
    evaluated = run.step(
        f"evaluate {system}",
        f"evaluate {system} against the held-out truth",
        lambda: _evaluate(run, system, trained["model_id"], trained["train_j"]),
    )
    return {"train": trained, "fill": filled, "evaluate": evaluated}


def _evaluate(run: _Run, system: str, model_id: int, train_j: list[int]) -> dict[str, Any]:
    evaluation = evaluate(run.db, model_id, EvaluateOptions(truth=run.file))
    picture: str | None = None
    if plots_available():
        path = run.folder / f"{system.replace('+', '_')}.png"
        draw(evaluation, tuple(train_j), path)
        picture = str(path)
    return {**evaluation.to_json(), "picture": picture}


def _export(run: _Run, systems: list[str]) -> dict[str, Any]:
    options = ExportOptions(j_max=_J_MAX)
    return export_systems(run.db, systems, run.folder / "filled.dat", options).to_json()


def _export_truth(run: _Run, systems: list[str]) -> dict[str, Any]:
    db = run.folder / "truth.duckdb"
    import_files(db, [run.file], run.origin)
    options = ExportOptions(j_max=_J_MAX)
    return export_systems(db, systems, run.folder / "true.dat", options).to_json()


def _verify(run: _Run) -> dict[str, Any]:
    if not radex_available():
        return {"skipped": "RADEX is not installed (pip install 'ratedb[radex]', Linux, CPython 3.11)"}
    verification = to_json(verify_files(run.folder / "filled.dat", run.folder / "true.dat"))
    return {**verification, "bright": _bright(verification)}


def _bright(verification: dict[str, Any]) -> dict[str, Any]:
    """Return how many lines are bright, and the one of them whose flux changes most."""
    strongest: dict[int, float] = {}
    for line in verification["lines"]:
        strongest[line["condition"]] = max(strongest.get(line["condition"], 0.0), line["flux_against_k_km_s"])
    bright = [
        line
        for line in verification["lines"]
        if line["flux_ratio"] is not None
        and line["flux_against_k_km_s"] >= BRIGHT * strongest[line["condition"]]
    ]
    worst = max(bright, key=lambda line: line["flux_ratio"], default=None)
    return {"share_of_strongest": BRIGHT, "lines": len(bright), "worst": worst}


def _summary(
    plan: dict[str, Any], evaluation: dict[str, Any], verification: dict[str, Any]
) -> list[dict[str, str]]:
    """Return in plain words how good the filled file is, beside naive interpolation."""
    gp, naive = evaluation["model"], evaluation["baselines"]["interpolation"]
    chosen = plan["chosen"]

    def percent(factor: float) -> str:
        return f"{100 * (factor - 1):.1f} %"

    rows = [
        ("Computing time saved (j^4)", f"{chosen['time_saved_percent']:.0f} %", ""),
        (
            "Half of the predicted rates are within",
            percent(gp["factor_median"]),
            percent(naive["factor_median"]),
        ),
        ("95 of 100 are within a factor", f"{gp['factor_p95']:.2f}", f"{naive['factor_p95']:.2f}"),
        ("The worst is off by a factor", f"{gp['factor_max']:.1f}", f"{naive['factor_max']:.1f}"),
        (
            "The stated 95 % intervals hold for",
            f"{100 * gp['coverage_95']:.0f} % of the rates",
            "no intervals",
        ),
    ]
    if "skipped" in verification:
        rows.append(("Line fluxes", verification["skipped"], ""))
    else:
        rows += _summary_of_lines(verification)
    return [{"question": q, "answer": a, "interpolation": n} for q, a, n in rows]


def _summary_of_lines(verification: dict[str, Any]) -> list[tuple[str, str, str]]:
    rows = []
    if verification["median_flux_ratio"] is not None:
        rows.append(
            (
                "Half of the line fluxes change by less than",
                f"{_change(verification['median_flux_ratio'])}",
                "",
            )
        )
    worst = verification["bright"]["worst"]
    if worst is not None:
        density = sum(worst["density_cm3"].values())
        where = f"{worst['upper']}-{worst['lower']} at {worst['temperature_k']:g} K, {density:.0e} cm-3"
        rows.append((f"Of the bright lines {where} changes most", _change(worst["flux_ratio"]), ""))
    rows.append(
        ("No level population changes by more than", f"{verification['max_population_difference']:.4f}", "")
    )
    return rows


def _change(ratio: float) -> str:
    return f"{100 * (ratio - 1):.2f} %"
