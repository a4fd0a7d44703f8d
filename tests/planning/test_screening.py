"""Claims about the search over all training sets of a known system."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from synthetic import lamda_text, rotor_levels, rotor_rates

from ratedb.errors import RatedbError, UsageError
from ratedb.levels import Transitions
from ratedb.models.basis import fit
from ratedb.models.engine import Specification, TrainingData
from ratedb.models.features import physics_features
from ratedb.models.means import fit_mean
from ratedb.models.workers import Here, workers
from ratedb.options import PlanOptions, Progress, silent
from ratedb.physics.transitions import transitions_from
from ratedb.planning import exhaustive, screening
from ratedb.planning.exhaustive import ExhaustiveResult, known_system, part_of_target, search_sets
from ratedb.planning.request import PlanRequest
from ratedb.planning.screening import Screen, TrialSet, refit, refit_best, screen_sets, trial_sets
from ratedb.rates import Rates
from ratedb.store.store import Store
from ratedb.verbs.import_ import import_files
from ratedb.verbs.known_rates import StoredScores, known_rates

LEVELS = rotor_levels(12, molecule="AB")
TARGET = tuple(range(3, 13))
SPECIFICATION = Specification("basis", "M32", "physics", "linear")
REQUEST = PlanRequest("AB+He", TARGET, (3,))
QUICK = PlanOptions(strategy="exhaustive", kernels=("M32", "RBF"))


def _of(kernel: str) -> Specification:
    return replace(SPECIFICATION, kernel=kernel)


def rates() -> Rates:
    """Return made-up rates of the target, with a scatter that no model can learn."""
    table = rotor_rates(LEVELS, "He", (10.0, 20.0, 50.0, 100.0))
    return table.select(np.isin(table.initial_j(), TARGET))


@pytest.fixture(scope="module")
def data() -> TrainingData:
    return TrainingData.of(known_system(rates(), TARGET)[0])


@pytest.fixture(scope="module")
def screen(data: TrainingData) -> Screen:
    return Screen.of(data, SPECIFICATION)


@pytest.fixture
def db(tmp_path: Path) -> Path:
    file = tmp_path / "ab.dat"
    file.write_text(lamda_text([rotor_rates(LEVELS, "He", (10.0, 20.0, 50.0, 100.0))]))
    import_files(tmp_path / "ab.duckdb", [file])
    return tmp_path / "ab.duckdb"


def searched(
    db: Path,
    request: PlanRequest,
    sizes: tuple[int, ...],
    options: PlanOptions,
    *,
    dry_run: bool = False,
    progress: Progress = silent,
) -> ExhaustiveResult:
    """Search as `plan --strategy exhaustive` does."""
    book = StoredScores(db, request.system, dry_run)
    rates = known_rates(db, request.system)
    return search_sets(rates, replace(request, sizes=sizes), options, book, progress)


def test_the_papers_search_has_4943_sets() -> None:
    trials = trial_sets(tuple(range(5, 21)), (5,), range(2, 7))
    sizes = [len(trial.train_j) for trial in trials]
    assert [sizes.count(size) for size in range(2, 7)] == [15, 105, 455, 1365, 3003]
    assert all(trial.train_j[0] == 5 and not set(trial.train_j) & set(trial.validate_j) for trial in trials)
    assert TrialSet((5, 9, 14, 19), (6, 10)) in trials


def test_of_a_given_run_only_its_top_is_in_every_set() -> None:
    trials = trial_sets(tuple(range(2, 14)), (2, 3, 4, 9), (3,))
    assert {trial.train_j for trial in trials} == {
        tuple(sorted((4, 9, j))) for j in range(2, 14) if j not in (4, 9)
    }


def test_without_given_j_every_set_is_tried() -> None:
    assert len(trial_sets(tuple(range(20)), (), (2,))) == 190


def test_sizes_that_leave_nothing_to_predict_are_refused() -> None:
    with pytest.raises(UsageError, match="no training set"):
        trial_sets((3, 4, 5, 6), (3,), (4,))
    with pytest.raises(UsageError, match="no training set"):
        trial_sets(TARGET, (3,), (1,))


def test_a_score_is_that_of_the_pooled_process_conditioned_on_the_set_by_hand(
    data: TrainingData, screen: Screen
) -> None:
    trial = TrialSet((3, 7, 11), (4, 8))
    j = data.initial_j()
    own, held_out = np.isin(j, trial.train_j), ~np.isin(j, (*trial.train_j, *trial.validate_j))
    of_set = data.select(np.flatnonzero(own))
    mean = fit_mean("linear", of_set.transitions, of_set.log10_k)(data.transitions)
    left = (data.log10_k - mean)[own]
    expected = mean[held_out] + left.mean(axis=0)
    inputs = screen.model.standardiser(physics_features(data.transitions))
    for vector, process in zip(screen.model.basis.vectors, screen.model.processes, strict=True):
        variance, length = np.exp(process.parameters[0]), np.exp(process.parameters[1:-1])
        r = np.sqrt((((inputs[:, None] - inputs[None]) / length) ** 2).sum(axis=2))
        matrix = variance * (1 + np.sqrt(3) * r) * np.exp(-np.sqrt(3) * r)
        inverse = np.linalg.inv(matrix[np.ix_(own, own)] + process.noise * np.eye(int(own.sum())))
        output = (left - left.mean(axis=0)) @ vector
        expected += (matrix[np.ix_(held_out, own)] @ inverse @ output)[:, None] * vector
    off = expected - data.log10_k[held_out]
    found = screen.score(trial)
    assert found.dex_rms == pytest.approx(float(np.sqrt((off**2).mean())), rel=1e-6)
    percent = float(100 * (np.abs(off) / np.abs(data.log10_k[held_out])).mean())
    assert found.log10_percent_error == pytest.approx(percent, rel=1e-6)


def test_held_out_rates_enter_a_score_only_as_truth(data: TrainingData, screen: Screen) -> None:
    """Truth of j = 9 moved up and down by d: (e - d)^2 + (e + d)^2 = 2 e^2 + 2 d^2 if no prediction moves."""
    trial = TrialSet((3, 7, 11), (4, 8))
    j = data.initial_j()

    def squares(shift: float, of_j: int) -> float:
        moved = replace(data, log10_k=data.log10_k + shift * (j == of_j)[:, None])
        held_out = data.log10_k[~np.isin(j, (3, 7, 11, 4, 8))].size
        return replace(screen, data=moved).score(trial).dex_rms ** 2 * held_out

    expected = 2 * squares(0.0, 9) + 2 * 0.1**2 * data.log10_k[j == 9].size
    assert squares(0.1, 9) + squares(-0.1, 9) == pytest.approx(expected, rel=1e-9)
    assert squares(0.1, 8) == squares(0.0, 8)


def test_a_refit_is_a_training_of_its_own(data: TrainingData) -> None:
    trial = TrialSet((3, 7, 11), (4, 8))
    j = data.initial_j()
    fitted = fit(data.select(np.flatnonzero(np.isin(j, trial.train_j))), SPECIFICATION)
    held_out = data.select(np.flatnonzero(~np.isin(j, (*trial.train_j, *trial.validate_j))))
    off = fitted.curves(held_out.transitions).mean - held_out.log10_k
    assert refit(data, SPECIFICATION, trial).dex_rms == pytest.approx(float(np.sqrt((off**2).mean())))


def test_a_set_that_cannot_be_trained_has_no_refit(
    data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise np.linalg.LinAlgError("not positive definite")

    monkeypatch.setattr(screening.basis, "fit", fail)
    assert np.isnan(refit(data, SPECIFICATION, TrialSet((3, 7), (4, 8))).dex_rms)


def test_the_best_of_each_size_and_kernel_are_trained_anew(
    data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screening, "_REFITTED", 2)
    trials = trial_sets(TARGET, (3,), (2, 3))
    other = _of("RBF")
    scores = [s for one in (SPECIFICATION, other) for s in map(Screen.of(data, one).score, trials)]
    best = refit_best(data, [SPECIFICATION, other], scores, Here())
    for size in (2, 3):
        expected = set()
        for kernel in ("M32", "RBF"):
            own = [s for s in scores if s.kernel == kernel and len(s.trial.train_j) == size]
            expected |= {(s.trial, kernel) for s in sorted(own, key=lambda score: score.dex_rms)[:2]}
        assert {(s.trial, s.kernel) for s in best[size]} == expected
        errors = [s.dex_rms for s in best[size]]
        assert errors == sorted(errors)
        assert best[size][0].dex_rms == refit(data, _of(best[size][0].kernel), best[size][0].trial).dex_rms


def test_many_at_a_time_are_scored_in_order(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screening, "_AT_ONCE", 7)
    trials = trial_sets(TARGET, (3,), (2, 3))
    parts = list(screen_sets(screen, trials, Here()))
    assert [score.trial for part in parts for score in part] == trials
    assert max(map(len, parts)) == 7


def test_a_search_goes_on_where_it_stopped(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screening, "_AT_ONCE", 10)
    calls = []

    def stop(text: str) -> None:
        calls.append(text)
        if len(calls) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        searched(db, REQUEST, (2, 3), QUICK, progress=stop)
    with Store(db) as store:
        kept = store.query("SELECT count(*) AS n FROM set_scores")[0]["n"]
    assert 0 < kept < 2 * len(trial_sets(TARGET, (3,), (2, 3)))
    rest = searched(db, REQUEST, (2, 3), QUICK)
    assert rest.scored_now == len(rest.scores) - kept
    again = searched(db, REQUEST, (2, 3), QUICK)
    assert again.scored_now == 0
    assert again.candidates == rest.candidates
    with Store(db) as store:
        row = store.query("SELECT DISTINCT system FROM set_scores")
    assert row == [{"system": "AB+He"}]


def test_a_dry_run_keeps_no_score(db: Path) -> None:
    found = searched(db, REQUEST, (2,), QUICK, dry_run=True)
    with Store(db) as store:
        assert store.query("SELECT count(*) AS n FROM set_scores")[0]["n"] == 0
    assert found.scored_now == 2 * 9


@pytest.mark.slow
def test_two_processes_find_what_one_finds(db: Path) -> None:
    alone = searched(db, REQUEST, (2, 3), QUICK, dry_run=True)
    together = searched(db, REQUEST, (2, 3), replace(QUICK, jobs=2), dry_run=True)
    assert [score.trial for score in together.scores] == [score.trial for score in alone.scores]
    for one, two in zip(alone.scores, together.scores, strict=True):
        assert two.dex_rms == pytest.approx(one.dex_rms, rel=1e-12)
    assert together.candidates[0].train_j == alone.candidates[0].train_j


@pytest.mark.slow
def test_a_cluster_finds_what_one_process_finds(db: Path, cluster: str) -> None:
    alone = searched(db, REQUEST, (2, 3), QUICK, dry_run=True)
    together = searched(db, REQUEST, (2, 3), replace(QUICK, scheduler=cluster), dry_run=True)
    assert together.scores == alone.scores
    assert together.candidates == alone.candidates


def test_a_candidate_says_its_kernel_its_error_and_its_cost(db: Path) -> None:
    found = searched(db, replace(REQUEST, hours_total=100.0), (3,), QUICK, dry_run=True)
    (one,) = found.candidates
    assert one.n == 3
    assert one.kernel in QUICK.kernels
    assert one.explicit_hours is not None
    assert one.test_dex_rms == one.expected_dex
    assert one.expected_error == pytest.approx(100 * (10**one.expected_dex - 1))  # type: ignore[operator]
    data = TrainingData.of(known_system(rates(), TARGET)[0])
    with workers(1):  # on one thread, as in a search
        again = refit(data, _of(one.kernel or ""), TrialSet(one.train_j, one.validate_j))
    assert one.test_dex_rms == pytest.approx(again.dex_rms, rel=1e-6)


def test_a_kernel_that_fits_nothing_is_left_out_with_a_word(
    db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Screen.of

    def of(data: TrainingData, specification: Specification) -> Screen:
        if specification.kernel == "RBF":
            raise exhaustive.FitError("kernel RBF explains nothing")
        return whole(data, specification)

    monkeypatch.setattr(Screen, "of", staticmethod(of))
    found = searched(db, REQUEST, (2,), QUICK, dry_run=True)
    assert found.warnings == ("left out: kernel RBF explains nothing",)
    assert {score.kernel for score in found.scores} == {"M32"}


def test_a_system_with_a_j_that_is_not_computed_is_refused(db: Path) -> None:
    with pytest.raises(RatedbError, match="no rates out of some j") as caught:
        searched(db, replace(REQUEST, target=tuple(range(3, 16))), (2,), QUICK)
    assert "13, 14, 15" in str(caught.value.got)


def test_a_j_without_a_complete_curve_is_refused() -> None:
    table = rates()
    values = table.rate_cm3_s.copy()
    values[table.initial_j() == 7, 1:] = np.nan
    with pytest.raises(RatedbError, match="no complete temperature curve") as caught:
        known_system(replace(table, rate_cm3_s=values), TARGET)
    assert caught.value.got == "none for j = 7"


def test_the_part_of_a_target_has_the_papers_number_of_transitions() -> None:
    table = rotor_rates(rotor_levels(12, molecule="AB", v_max=2))
    request = PlanRequest("AB+He", tuple(range(3, 10)), (3,), v_max=1)
    part = part_of_target(table, request)
    found = {j: int((part.initial_j() == j).sum()) for j in request.target}
    assert found == {j: transitions_from(j, v_max=1, j_max=9) for j in request.target}


def test_the_transitions_are_those_out_of_the_target(data: TrainingData) -> None:
    assert set(data.initial_j().tolist()) == set(TARGET)
    assert isinstance(data.transitions, Transitions)
