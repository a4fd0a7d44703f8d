"""A store and everything that can be done with it: what `ratedb.open` returns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ratedb import options as of
from ratedb.declared import build, each_path, stored_plan, takes
from ratedb.errors import UsageError
from ratedb.options import Progress, silent
from ratedb.store.lake_address import absolute
from ratedb.store.waiting import DEFAULT_WAIT_S, each_call_waits

if TYPE_CHECKING:
    import numpy.typing as npt

    from ratedb.io.citations import Citations
    from ratedb.models.evaluation import Evaluation
    from ratedb.models.tops.evaluation import UnitEvaluation
    from ratedb.models.tops.trained import UnitTrainResult
    from ratedb.models.trained import TrainResult
    from ratedb.paper.reproduction import Reproduction
    from ratedb.planning.next_j import NextResult
    from ratedb.planning.next_unit import NextUnitResult
    from ratedb.planning.savings import PlanResult
    from ratedb.quality.comparison import SourceComparison
    from ratedb.radiative.impact import Impact
    from ratedb.radiative.line_list import LineList
    from ratedb.radiative.verify import Verification
    from ratedb.rates import Rates
    from ratedb.store.query import QueryResult
    from ratedb.verbs.check import CheckResult
    from ratedb.verbs.demo_summary import DemoResult
    from ratedb.verbs.derive import DeriveResult
    from ratedb.verbs.doctor import DoctorReport
    from ratedb.verbs.export import ExportResult
    from ratedb.verbs.fill import FillResult
    from ratedb.verbs.import_ import ImportResult
    from ratedb.verbs.merging import MergeResult
    from ratedb.verbs.repair import RepairResult
    from ratedb.verbs.report import ReportResult
    from ratedb.verbs.serve import ServeResult
    from ratedb.verbs.sharing import BackupResult, PublishResult
    from ratedb.verbs.show import SystemReport
    from ratedb.verbs.unit_plan import UnitPlanResult


@each_call_waits
class Database:
    """A store: import rates, plan, train, fill, export, and ask.

    The file is opened for each call and closed after it, so that it is never locked in between. Methods have
    the names and options of the commands; lists may be texts such as "5:20". Results have `.to_json()`.

    Every method raises UsageError for an invalid request, RatedbError where data, a model or a file is not as
    it has to be, and LockedError where another process holds the file for longer than `wait` seconds in all.
    """

    def __init__(self, path: Path | str, *, read_only: bool = False, wait: float = DEFAULT_WAIT_S) -> None:
        self.path = absolute(path)
        self.read_only, self.wait = read_only, wait

    def __repr__(self) -> str:
        return f"<ratedb.Database {self.path.name}{', read-only' if self.read_only else ''}>"

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def checked(self, *, create: bool = False) -> Database:
        """Return this database once its file is known to be a store; with `create` make it."""
        from ratedb.store.opening import bring_up_to_date, close_store, open_store, store_exists

        if create and not store_exists(self.path):
            self._need_writable("make the file")
            close_store(open_store(self.path, write=True, create=True), self.path)
        bring_up_to_date(self.path)
        return self

    def _need_writable(self, does: str) -> None:
        from ratedb.store.snapshot import refuse_snapshot

        refuse_snapshot(self.path)
        if self.read_only:
            raise UsageError(
                f"this database was opened read-only and cannot {does}",
                where=str(self.path),
                todo="open it without read_only=True",
            )

    # -- into the store -------------------------------------------------------------------------

    @takes(of.ImportOptions)
    def import_(self, *files: Path | str, progress: Progress = silent, **options: Any) -> ImportResult:
        """Read files of rate coefficients into the store; the same file twice changes nothing."""
        from ratedb.verbs.import_ import import_files

        self._need_writable("import")
        return import_files(self.path, each_path(files), build(of.ImportOptions, options), progress)

    @takes(of.FillOptions)
    def fill(self, system: str, *, progress: Progress = silent, **options: Any) -> FillResult:
        """Predict missing transitions; computed rates stay as they are."""
        from ratedb.verbs.fill import fill

        self._need_writable("fill")
        return fill(self.path, system, build(of.FillOptions, options), progress)

    @takes(of.DeriveOptions)
    def derive(self, system: str, *, progress: Progress = silent, **options: Any) -> DeriveResult:
        """Derive rates from stored ones by physics, such as hyperfine from rotational ones, as a new source.

        effective: of a molecule, from those of a pair, summed over the partner's final states. thermal: also
        averaged over its initial states. hyperfine: by recoupling of a linear molecule's rotational rates.
        rotational: the way back, summed over hyperfine levels.
        """
        from ratedb.verbs.derive import derive

        if not options.get("dry_run"):
            self._need_writable("store derived rates")
        return derive(self.path, system, build(of.DeriveOptions, options), progress)

    @takes(of.MixOptions)
    def mix(self, molecule: str, *, progress: Progress = silent, **options: Any) -> DeriveResult:
        """Mix rates for p-H2 and o-H2 into those for H2, at a given or thermal ratio, as a derived source."""
        from ratedb.verbs.mix import mix

        if not options.get("dry_run"):
            self._need_writable("store derived rates")
        return mix(self.path, molecule, build(of.MixOptions, options), progress)

    # -- planning and models --------------------------------------------------------------------

    @takes(of.PlanOptions)
    def plan(
        self, system: str, *, progress: Progress = silent, **options: Any
    ) -> PlanResult | UnitPlanResult:
        """Choose which initial j to compute, with costs, savings and, where possible, the expected error.

        Of tops and pairs initial states are chosen, by `share` or `train_units`.
        """
        from ratedb.verbs.plan import plan

        self._need_writable("store a plan")
        return plan(self.path, system, build(of.PlanOptions, options), progress)

    @takes(of.NextOptions)
    def next(
        self, system: str, *, progress: Progress = silent, **options: Any
    ) -> NextResult | NextUnitResult:
        """Choose which initial j, or initial state, to compute next, or to stop."""
        from ratedb.verbs.next import next_

        options["plan"] = stored_plan(options.get("plan"))
        return next_(self.path, system, build(of.NextOptions, options), progress)

    @takes(of.TrainOptions)
    def train(
        self, system: str, *, progress: Progress = silent, **options: Any
    ) -> TrainResult | UnitTrainResult:
        """Fit Gaussian processes to the training j, or initial states, and store the best or their average.

        `plan` is the id of a stored plan, or what `plan` returned.
        """
        from ratedb.verbs.train import train

        self._need_writable("store a model")
        options["plan"] = stored_plan(options.get("plan"))
        return train(self.path, system, build(of.TrainOptions, options), progress)

    @takes(of.EvaluateOptions)
    def evaluate(
        self, model_id: int, *, progress: Progress = silent, **options: Any
    ) -> Evaluation | UnitEvaluation:
        """Test a model on held-out rates, next to interpolation and a physical law or group means."""
        from ratedb.verbs.evaluate import evaluate

        return evaluate(self.path, model_id, build(of.EvaluateOptions, options), progress)

    @takes(of.ReproduceOptions)
    def reproduce(
        self, system: str | None = None, *, progress: Progress = silent, **options: Any
    ) -> Reproduction:
        """Print tables I-V of Mihalik et al. (2025) for a known system, next to the paper's own."""
        from ratedb.verbs.reproduce import reproduce

        return reproduce(self.path, system, build(of.ReproduceOptions, options), progress)

    # -- quality and sources --------------------------------------------------------------------

    @takes(of.CheckOptions)
    def check(self, system: str | None = None, *, progress: Progress = silent, **options: Any) -> CheckResult:
        """Check every source of a system, or of all, and sources against each other.

        docs/quality.md lists the rules; import applies them too.
        """
        from ratedb.verbs.check import check

        if options.get("mark") or options.get("accept"):
            self._need_writable("store findings")
        return check(self.path, system, build(of.CheckOptions, options), progress)

    @takes(of.CompareOptions)
    def compare(self, system: str, first: int, second: int, **options: Any) -> SourceComparison:
        """Compare two sources of a system, by id: the ratio second/first by j and temperature, outliers."""
        from ratedb.verbs.compare import compare

        return compare(self.path, system, first, second, build(of.CompareOptions, options))

    @takes(of.SourcesOptions)
    def sources(self, system: str | None = None, **options: Any) -> QueryResult:
        """List sources in order of precedence, set that order, or withdraw, restore and correct sources.

        By default computed values precede scaled, extrapolated and derived ones, and newer sources older
        ones. Values flagged by quality control come after all others, predictions after all other values.
        """
        from ratedb.verbs.sources import sources

        if any(options.get(name) for name in ("prefer", "join", "withdraw", "restore", "correct")):
            self._need_writable("change what is said of sources")
        return sources(self.path, system, build(of.SourcesOptions, options))

    # -- out ------------------------------------------------------------------------------------

    @takes(of.ExportOptions)
    def export(
        self, systems: str | Sequence[str], output: Path | str, *, progress: Progress = silent, **options: Any
    ) -> ExportResult:
        """Write a file that RADEX and other codes read, or a table, and its provenance.

        Format basecol has the rates of one system by level number, FILE.kij, and their levels, FILE.molecule.
        """
        from ratedb.verbs.export import export

        return export(self.path, _names(systems), Path(output), build(of.ExportOptions, options), progress)

    @takes(of.ReportOptions)
    def report(
        self, systems: str | Sequence[str], output: Path | str, *, progress: Progress = silent, **options: Any
    ) -> ReportResult:
        """Write one page for a browser, without a network: map, curves, errors, plan, findings, sources."""
        from ratedb.verbs.report import report

        return report(self.path, _names(systems), Path(output), build(of.ReportOptions, options), progress)

    @takes(of.CiteOptions)
    def cite(self, file: Path | str, **options: Any) -> Citations:
        """List the references to cite for an exported file, from FILE.provenance.json, or for a system.

        The result has them as BibTeX entries too.
        """
        from ratedb.verbs.cite import cite

        return cite(self.path, file, build(of.CiteOptions, options))

    @takes(of.VerifyOptions)
    def verify(self, file: Path | str, *, progress: Progress = silent, **options: Any) -> Verification:
        """Compare two LAMDA files by what a solver such as RADEX makes of them: populations, line fluxes."""
        from ratedb.verbs.verify import verify

        return verify(Path(file), build(of.VerifyOptions, options), progress)

    @takes(of.ImpactOptions)
    def impact(self, systems: str | Sequence[str], *, progress: Progress = silent, **options: Any) -> Impact:
        """Show how uncertain lines are because of predicted rates: RADEX on joint samples of the rates."""
        from ratedb.verbs.impact import impact

        return impact(self.path, _names(systems), build(of.ImpactOptions, options), progress)

    @takes(of.DemoOptions)
    def demo(
        self,
        folder: Path | str = "ratedb-demo",
        *,
        progress: Progress = silent,
        report: Progress = silent,
        **options: Any,
    ) -> DemoResult:
        """Run the whole job on real data: plan, import, train, fill, evaluate, export, RADEX, picture.

        It works in a separate folder, not on this store. A demo that was stopped continues.
        """
        from ratedb.verbs.demo import demo

        return demo(Path(folder), build(of.DemoOptions, options), report, progress)

    # -- ask ------------------------------------------------------------------------------------

    def rates(
        self,
        system: str,
        *,
        kinds: Sequence[str] | str = (),
        min_quality: str = "any",
        temperature_k: npt.ArrayLike | None = None,
        j_max: int | None = None,
        upper: str | None = None,
        lower: str | None = None,
    ) -> Rates:
        """Return the best rates of a system, such as CO+p-H2: those that an export writes.

        `kinds` are the kinds of values to take, all where empty; `min_quality` is any, unmarked (no error of
        quality control) or unsuspected (no warning either); `temperature_k` are temperatures to interpolate
        at; `j_max` leaves out levels above it; `upper` and `lower` are labels of the levels to take.
        Raises UsageError for an unknown choice, RatedbError for an unknown system, where nothing is left, or
        where rates do not reach a temperature.
        """
        from ratedb.store.selection import Selection
        from ratedb.verbs.select import select

        wanted = (kinds,) if isinstance(kinds, str) else tuple(kinds or ())
        rates = select(self.path, system, Selection(wanted, min_quality, j_max, upper, lower))
        return rates if temperature_k is None else rates.at(temperature_k)

    def systems(self) -> QueryResult:
        """List the systems in the store: transitions, temperatures and values by kind."""
        from ratedb.verbs.show import systems

        return systems(self.path)

    @takes(of.CorpusOptions)
    def corpus(self, *, progress: Progress = silent, **options: Any) -> QueryResult:
        """List what `train` knows of other molecules, add a system of one's own to it, or remove it."""
        from ratedb.store.corpus import corpus

        if options.get("add") is not None or options.get("remove") is not None:
            self._need_writable("change the corpus")
        return corpus(self.path, build(of.CorpusOptions, options), progress)

    def show(self, system: str) -> SystemReport:
        """Show coverage of a system by initial j, its sources and its models."""
        from ratedb.verbs.show import show

        return show(self.path, system)

    def levels(self, molecule: str) -> QueryResult:
        """List the levels of a molecule by energy (cm-1)."""
        from ratedb.verbs.show import levels

        return levels(self.path, molecule)

    @takes(of.LinesOptions)
    def lines(self, system: str, **options: Any) -> QueryResult | LineList:
        """List the lines of a system with critical densities, or those of a molecule, by frequency (GHz)."""
        from ratedb.verbs.lines import lines

        return lines(self.path, system, build(of.LinesOptions, options))

    def findings(self, system: str | None = None) -> QueryResult:
        """List the stored findings of quality control, of all systems or of one."""
        from ratedb.verbs.show import findings

        return findings(self.path, system)

    @takes(of.SqlOptions)
    def sql(self, query: str, **options: Any) -> QueryResult:
        """Run one SQL query, read-only: it reads this store and nothing else.

        The views are rates, rates_all, levels, radiative, sources, source_files, source_orders,
        source_events, derivations, findings, models, plans and set_scores.
        """
        from ratedb.store.query import sql

        return sql(self.path, query, build(of.SqlOptions, options))

    @takes(of.MergeOptions)
    def merge(self, other: Path | str, *, progress: Progress = silent, **options: Any) -> MergeResult:
        """Add what another store or a published snapshot has and this one has not; twice changes nothing."""
        from ratedb.verbs.merging import merge

        self._need_writable("merge")
        return merge(self.path, Path(other), build(of.MergeOptions, options), progress)

    @takes(of.BackupOptions)
    def backup(self, file: Path | str, **options: Any) -> BackupResult:
        """Copy this store to a file and check the copy; others may read meanwhile."""
        from ratedb.verbs.sharing import backup

        return backup(self.path, Path(file), build(of.BackupOptions, options))

    @takes(of.PublishOptions)
    def publish(self, folder: Path | str, *, progress: Progress = silent, **options: Any) -> PublishResult:
        """Write a frozen snapshot, FOLDER/VERSION: Parquet files, a manifest, citations; --db opens it."""
        from ratedb.verbs.sharing import publish

        return publish(self.path, Path(folder), build(of.PublishOptions, options), progress)

    @takes(of.ServeOptions)
    def serve(self, *, report: Progress = silent, **options: Any) -> ServeResult:
        """Serve pages, files and a query API of this store for a web browser, read-only, until Ctrl-C."""
        from ratedb.verbs.serve import serve

        return serve(self.path, build(of.ServeOptions, options), report)

    @takes(of.RepairOptions)
    def repair(
        self, molecule: str | None = None, *, progress: Progress = silent, **options: Any
    ) -> RepairResult:
        """Merge levels of a molecule, or of all, that are stored twice under different labels."""
        from ratedb.verbs.repair import repair

        if not options.get("dry_run"):
            self._need_writable("merge levels")
        return repair(self.path, molecule, build(of.RepairOptions, options), progress)

    @takes(of.DoctorOptions)
    def doctor(self, *, progress: Progress = silent, **options: Any) -> DoctorReport:
        """Check versions, storage, locks and optional parts."""
        from ratedb.verbs.doctor import doctor

        return doctor(self.path, build(of.DoctorOptions, options), progress)


def _names(systems: str | Sequence[str]) -> list[str]:
    return [systems] if isinstance(systems, str) else list(systems)
