"""Rotational constants of molecules whose kind names them, fitted to the energies of their levels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.errors import RatedbError
from ratedb.kinds.species import kind_of, species_in_words
from ratedb.levels import Levels
from ratedb.physics.pairs import JOINED, is_pair, taken_apart

MOST_MISFIT = 0.2
"""Energies whose residual is more than this share of their standard deviation are of no such molecule."""

_MOST_MISFIT_OF_ONE = 0.2
"""So is a level that is off by more than this share of its energy and a tenth of the mean energy."""
_MOST_LINEAR_MISFIT = 0.05
_FEWEST, _FEWEST_TOP = 2, 5
_FEWEST_DISTORTED = 5  # to fit D too
_FEWEST_JUDGED = 6
_MOST_LEVELS, _HIGHEST_J = 100, 40  # the lowest ones say enough, and a fit to more takes seconds


@dataclass(frozen=True, eq=False)
class Rotation:
    """The constants (cm-1) of a molecule, fitted to `levels` of its levels, and the rms residual in cm-1.

    `given_cm1` are those that the description of its kind knows. `expected_cm1` are the energies, shape (n,),
    that the constants give those levels, at the indices `used`.
    """

    constants_cm1: Mapping[str, float]
    given_cm1: Mapping[str, float]
    residual_cm1: float
    used: IntArray
    expected_cm1: FloatArray

    @property
    def levels(self) -> int:
        """How many levels the constants were fitted to."""
        return len(self.used)


@dataclass(frozen=True)
class MoleculeReport:
    """What the levels say of one molecule: its kind, rotational constants in cm-1 and nuclear spin species.

    `residual_cm1` is the rms difference of the energies of `fitted_levels` levels from those of the
    constants; None where nothing was fitted. `spin_species` is in words, empty where no level shows it.
    """

    molecule: str
    kind: str
    constants_cm1: Mapping[str, float]
    given_cm1: Mapping[str, float]
    residual_cm1: float | None
    fitted_levels: int
    spin_species: str


def molecules_of(levels: Levels) -> tuple[Levels, ...]:
    """Return the levels of each molecule: of both where levels are pairs of two that change state."""
    if not is_pair(levels):
        return (levels,)
    name = levels.molecule
    partner = name[name.index("(") + 1 : -1] if name.endswith(")") and "(" in name else "partner"
    try:
        both = taken_apart(levels, partner)
    except RatedbError:  # their energies are no sums, so there is nothing to say of each
        return (levels,)
    kinds = levels.kind.split(JOINED)
    return tuple(replace(one, kind=kind) for one, kind in zip((both.first, both.second), kinds, strict=True))


def report_of(levels: Levels) -> tuple[MoleculeReport, ...]:
    """Return what levels say of their molecule, or of both molecules of a pair."""
    found = []
    for one in molecules_of(levels):
        rotation = rotation_of(one)
        found.append(
            MoleculeReport(
                one.molecule,
                one.kind,
                {} if rotation is None else dict(rotation.constants_cm1),
                {} if rotation is None else dict(rotation.given_cm1),
                None if rotation is None else rotation.residual_cm1,
                0 if rotation is None else rotation.levels,
                species_in_words(one),
            )
        )
    return tuple(found)


def contradicting_energies(levels: Levels) -> list[str]:
    """Return what to tell the user where energies contradict every choice of constants; else nothing."""
    said = []
    for one in molecules_of(levels):
        found = rotation_of(one)
        if found is None or found.levels < _FEWEST_JUDGED or not _is_misfit(one, found):
            continue
        worst = _worst(one, found)
        found = rotation_of(one, but=worst) or found  # one wrong energy spoils the constants
        given, expected = one.energy_cm1[worst], found.expected_cm1[found.used.tolist().index(worst)]
        constants = ", ".join(f"{name} = {value:.6g}" for name, value in found.constants_cm1.items())
        said.append(
            f"the energies of {one.molecule} contradict its kind, {one.kind}: no rotational constants give"
            f" level {one.label[worst]} its energy; expected about {expected:.6g} cm-1 with those of the"
            f" other levels ({constants} cm-1, rms {found.residual_cm1:.3g} cm-1), given {given:.6g} cm-1;"
            " check the energy and quantum numbers of the level, or name another kind with"
            " --kind-of-molecule"
        )
    return said


def _error_size(energy_cm1: FloatArray) -> FloatArray:
    """Return how large errors may be in proportion, (n,): distortion grows with the energy."""
    above = energy_cm1 - energy_cm1.min()
    return np.asarray(above + 0.1 * above.mean() + 1e-9)


def _is_misfit(levels: Levels, found: Rotation) -> bool:
    given = levels.energy_cm1[found.used]
    off = np.abs(given - found.expected_cm1)
    return bool(
        found.residual_cm1 > MOST_MISFIT * float(given.std())
        or (off / _error_size(given)).max() > _MOST_MISFIT_OF_ONE
    )


def _worst(levels: Levels, found: Rotation) -> int:
    """Return the level that is off most, in proportion to how large errors may be."""
    given = levels.energy_cm1[found.used]
    return int(found.used[np.argmax(np.abs(given - found.expected_cm1) / _error_size(given))])


def rotation_of(levels: Levels, but: int = -1) -> Rotation | None:
    """Return the fitted constants of levels of a kind that names them, None for other kinds or few levels.

    The level at the index `but` is not fitted, but has its energy expected too.
    """
    kind = kind_of(levels)
    fit = None if kind is None else _FITS.get(kind.constants)
    if kind is None or fit is None:
        return None
    numbers = {**levels.quantum_numbers}
    if "N" in numbers:  # the electrons' spin does not rotate
        numbers["j"] = numbers["N"]
    used = np.flatnonzero(_usable(levels, numbers))
    used = used[np.argsort(levels.energy_cm1[used], kind="stable")][:_MOST_LEVELS]
    fitted = used[used != but]
    if len(fitted) < _FEWEST or not np.ptp(levels.energy_cm1[fitted]) > 0:
        return None
    found = fit({name: values[fitted] for name, values in numbers.items()}, levels.energy_cm1[fitted])
    if found is None:
        return None
    constants, energies = found
    expected = energies({name: values[used] for name, values in numbers.items()})
    off = (expected - levels.energy_cm1[used])[used != but]
    residual = round(float(np.sqrt((off**2).mean())), 9)  # no rounding errors of the fit
    return Rotation(constants, dict(kind.given_cm1), residual, used, expected)


def _usable(levels: Levels, numbers: Mapping[str, FloatArray]) -> BoolArray:
    """Return which levels have all numbers and are in the lowest vibrational state, shape (n,)."""
    usable = np.ones(len(levels), dtype=np.bool_)
    for name in ("j", "ka", "kc", "k"):
        if name in numbers:
            usable &= np.isfinite(numbers[name]) & (np.abs(numbers[name]) <= _HIGHEST_J)
    if "v" in numbers:
        usable &= numbers["v"] == numbers["v"].min()
    return usable


# -- each kind -------------------------------------------------------------------------------------

_Numbers = Mapping[str, FloatArray]
_Energies = Callable[[_Numbers], FloatArray]
_Columns = Callable[[_Numbers], FloatArray]
_Found = tuple[dict[str, float], _Energies]
"""Constants in cm-1, and the energies that they give levels of these quantum numbers, (n,) each."""


def _least_squares(columns: _Columns, numbers: _Numbers, energy_cm1: FloatArray) -> FloatArray | None:
    """Return coefficients of columns, (n, c); errors count as in rigid_rotor. None where some are free."""
    design = columns(numbers)
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return None
    size = _error_size(energy_cm1)
    return np.asarray(np.linalg.lstsq(design / size[:, None], energy_cm1 / size, rcond=None)[0])


def _linear(numbers: _Numbers, energy_cm1: FloatArray) -> _Found | None:
    distorted = len(np.unique(numbers["j"])) >= _FEWEST_DISTORTED

    def columns(of: _Numbers) -> FloatArray:
        square = of["j"] * (of["j"] + 1.0)
        return np.stack([np.ones(len(square)), square, *([-(square**2)] if distorted else [])], axis=1)

    found = _least_squares(columns, numbers, energy_cm1)
    if found is None:
        return None
    off = columns(numbers) @ found - energy_cm1
    misfit = float(np.sqrt((off**2).mean())) / float(energy_cm1.std())
    if len(energy_cm1) < _FEWEST_JUDGED and misfit > _MOST_LINEAR_MISFIT:
        return None  # the fine structure of an atom
    return dict(zip(("B", "D"), found[1:].tolist(), strict=False)), lambda of: columns(of) @ found


def _symmetric(numbers: _Numbers, energy_cm1: FloatArray) -> _Found | None:
    """Fit constants and the splitting by inversion, which lists name by itself or by a parity."""
    found: list[tuple[float, FloatArray, _Columns]] = []
    for columns in _WAYS_OF_INVERSION:
        if not columns.needs <= set(numbers) or len(energy_cm1) < _FEWEST_TOP:
            continue
        fitted = _least_squares(columns, numbers, energy_cm1)
        if fitted is not None:
            off = (columns(numbers) @ fitted - energy_cm1) / _error_size(energy_cm1)
            found.append((float((off**2).sum()), fitted, columns))
    if not found:
        return None
    _, best, of_best = min(found, key=lambda one: one[0])
    b, other = float(best[1]), float(best[1] + best[2])
    return {"A" if other > b else "C": other, "B": b}, lambda of: of_best(of) @ best


@dataclass(frozen=True)
class _Inversion:
    """The columns of a symmetric top, the last of which says which state of inversion a level is of."""

    name: str = ""
    of_j: bool = False
    of_k: bool = False

    @property
    def needs(self) -> set[str]:
        return {"j", "k", self.name} - {""}

    def __call__(self, of: _Numbers) -> FloatArray:
        columns = [np.ones(len(of["j"])), of["j"] * (of["j"] + 1.0), of["k"] ** 2]
        if self.name:
            turned = of["j"] * self.of_j + of["k"] * self.of_k
            columns.append(np.nan_to_num(of[self.name]) * np.where(turned % 2 == 0, 1.0, -1.0))
        return np.stack(columns, axis=1)


_WAYS_OF_INVERSION = (
    _Inversion(),
    _Inversion("inversion"),
    *(_Inversion("parity", of_j, of_k) for of_j in (False, True) for of_k in (False, True)),
)


def _asymmetric(numbers: _Numbers, energy_cm1: FloatArray) -> _Found | None:
    if not {"ka", "kc"} <= set(numbers):
        return None
    # scipy takes longer to load than all the rest, and few molecules need it
    from ratedb.physics.rigid_rotor import asymmetric_energies, fit_rotational_constants

    def whole(of: _Numbers) -> tuple[IntArray, IntArray, IntArray]:
        j, ka, kc = (of[name].astype(np.int64) for name in ("j", "ka", "kc"))
        return j, ka, kc

    j, ka, kc = whole(numbers)
    possible = (ka >= 0).all() and np.isin(ka + kc - j, (0, 1)).all()
    if len(j) < _FEWEST_TOP or not possible or len(np.unique(j)) < 2:
        return None
    try:
        fit = fit_rotational_constants(j, ka, kc, energy_cm1)
    except (ValueError, np.linalg.LinAlgError):  # energies far from those of any rotor
        return None
    constants = {"A": fit.a_cm1, "B": fit.b_cm1, "C": fit.c_cm1}
    return constants, lambda of: asymmetric_energies(fit, *whole(of))


_FITS: Mapping[tuple[str, ...], Callable[[_Numbers, FloatArray], _Found | None]] = MappingProxyType(
    {("B", "D"): _linear, ("A or C", "B"): _symmetric, ("A", "B", "C"): _asymmetric}
)
"""How the constants that a kind names are fitted; others, as those of spin-orbit coupling, are not."""
