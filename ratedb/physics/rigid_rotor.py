"""Rigid rotors: rotational constants from level energies, wavefunctions, and sudden-limit strengths.

Asymmetric tops in the representation I^r (z along a, x along b, y along c), symmetric tops about their axis,
both in the basis of symmetric-top functions |j k> (Gordy & Cook 1984, Microwave Molecular Spectra, ch. 7).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.optimize import least_squares
from scipy.special import gammaln

from ratedb.arrays import FloatArray, IntArray, require


@dataclass(frozen=True)
class RotationalConstants:
    """A >= B >= C in cm-1, the energy of j = 0, and the rms residual of the levels they were fitted to."""

    a_cm1: float
    b_cm1: float
    c_cm1: float
    origin_cm1: float = 0.0
    residual_cm1: float = 0.0


def wigner_3j(
    a: IntArray | int,
    b: IntArray | int,
    c: IntArray | int,
    alpha: IntArray | int,
    beta: IntArray | int,
    gamma: IntArray | int,
) -> FloatArray:
    """Return the 3j symbols (a b c; alpha beta gamma) of integers that broadcast together.

    Zero where a rule of selection fails (Racah's formula, Edmonds 1957, eq. 3.6.11). The sum has at most
    2b+1 terms: accurate to some ten digits for b <= 20.
    """
    a, b, c, alpha, beta, gamma = np.broadcast_arrays(*map(np.asarray, (a, b, c, alpha, beta, gamma)))
    allowed = (alpha + beta + gamma == 0) & (c >= np.abs(a - b)) & (c <= a + b)
    allowed &= (np.abs(alpha) <= a) & (np.abs(beta) <= b) & (np.abs(gamma) <= c)

    def log_factorial(n: IntArray) -> FloatArray:
        return np.asarray(gammaln(np.maximum(n, 0) + 1.0))

    first = np.maximum(0, np.maximum(b - c - alpha, a - c + beta))
    last = np.minimum(a + b - c, np.minimum(a - alpha, b + beta))
    scale = 0.5 * (log_factorial(a + b - c) + log_factorial(a - b + c) + log_factorial(b + c - a))
    scale = scale - 0.5 * log_factorial(a + b + c + 1)
    for j, m in ((a, alpha), (b, beta), (c, gamma)):
        scale = scale + 0.5 * (log_factorial(j + m) + log_factorial(j - m))
    total = np.zeros(a.shape)
    for step in range(int(np.where(allowed, last - first, -1).max(initial=-1)) + 1):
        t = first + step
        terms = (t, c - b + t + alpha, c - a + t - beta, a + b - c - t, a - t - alpha, b - t + beta)
        size = np.exp(np.where(allowed, scale - sum(map(log_factorial, terms)), 0.0))
        total += np.where(allowed & (t <= last), np.where(t % 2 == 0, size, -size), 0.0)
    return np.where((a - b - gamma) % 2 == 0, total, -total)


def asymmetric_states(constants: RotationalConstants, j: int) -> tuple[FloatArray, FloatArray]:
    """Return energies (2j+1,) in cm-1 and wavefunctions (2j+1, 2j+1) of one j, in the order of ka - kc.

    Row n is the level ka - kc = n - j, column k + j its coefficient of |j k>. Every row is even or odd under
    k -> -k, because the four Wang blocks are diagonalised one by one.
    """
    energies, vectors = np.empty(2 * j + 1), np.zeros((2 * j + 1, 2 * j + 1))
    for odd_k in (0, 1):
        for sign in (1, -1):
            k = np.arange(odd_k if odd_k or sign > 0 else 2, j + 1, 2)
            if not len(k):
                continue
            value, coefficients = np.linalg.eigh(_wang_block(constants, j, k, sign))
            rows = 2 * k - (1 if sign < 0 else 0)  # ka + kc = j in even blocks, j + 1 in odd ones
            energies[rows] = value
            norm = np.where(k == 0, 1.0, np.sqrt(0.5))
            for row, column in zip(rows, coefficients.T, strict=True):
                vectors[row, j - k] = sign * column * norm
                vectors[row, j + k] = column * norm
    return energies, vectors


def _wang_block(constants: RotationalConstants, j: int, k: IntArray, sign: int) -> FloatArray:
    """Return the Hamiltonian, shape (len(k), len(k)), between (|j k> + sign |j -k>) / sqrt 2."""
    a, b, c = constants.a_cm1, constants.b_cm1, constants.c_cm1
    square = float(j * (j + 1))
    block = np.diag(0.5 * (b + c) * (square - k**2) + a * k.astype(np.float64) ** 2)
    quarter = 0.25 * (b - c)
    for place, low in enumerate(k[:-1].tolist()):
        step = quarter * np.sqrt((square - low * (low + 1)) * (square - (low + 1) * (low + 2)))
        step *= np.sqrt(2.0) if low == 0 else 1.0
        block[place, place + 1] = block[place + 1, place] = step
    if len(k) and k[0] == 1:
        block[0, 0] += sign * quarter * square
    return block


def asymmetric_energies(
    constants: RotationalConstants, j: IntArray, ka: IntArray, kc: IntArray
) -> FloatArray:
    """Return the energy of each level, shape (n,), in cm-1."""
    energies = np.empty(len(j))
    for each in np.unique(j):
        here = j == each
        energies[here] = asymmetric_states(constants, int(each))[0][(ka - kc)[here] + each]
    return energies + constants.origin_cm1


def fit_rotational_constants(
    j: IntArray, ka: IntArray, kc: IntArray, energy_cm1: FloatArray
) -> RotationalConstants:
    """Return the constants that give the level energies, shape (n,), with the least squared error.

    Errors count in proportion to the energy above the lowest level plus a tenth of the mean, because
    distortion grows with it. Raises RatedbError for fewer than four levels or impossible quantum numbers.
    """
    require(len(j) >= 4, "too few levels for rotational constants", "at least 4", len(j))
    fits = bool(np.isin(ka + kc - j, (0, 1)).all() and (ka >= 0).all() and (kc >= 0).all())
    require(fits, "quantum numbers of no asymmetric top", "ka + kc = j or j + 1", "others")
    above = energy_cm1 - energy_cm1.min()
    error_size = above + 0.1 * above.mean()
    design = np.column_stack([j * (j + 1.0), ka**2.0, np.ones(len(j))]) / error_size[:, None]
    mean_bc, extra, origin = np.linalg.lstsq(design, energy_cm1 / error_size, rcond=None)[0].tolist()
    mean_bc, extra = max(mean_bc, 1e-3), max(extra, 1e-3)

    def constants(x: FloatArray) -> RotationalConstants:
        c = np.exp(x[2])
        b = c + np.exp(x[1])
        return RotationalConstants(b + np.exp(x[0]), b, c, x[3])

    def misfit(x: FloatArray) -> FloatArray:
        return np.asarray((asymmetric_energies(constants(x), j, ka, kc) - energy_cm1) / error_size)

    starts = [
        np.array([np.log(extra), np.log(share * mean_bc), np.log(mean_bc * (1.0 - 0.5 * share)), origin])
        for share in (0.05, 0.5)
    ]
    best = min((least_squares(misfit, start, max_nfev=60) for start in starts), key=lambda end: end.cost)
    found = constants(best.x)
    off = asymmetric_energies(found, j, ka, kc) - energy_cm1
    return RotationalConstants(
        found.a_cm1, found.b_cm1, found.c_cm1, found.origin_cm1, float(np.sqrt((off**2).mean()))
    )


def asymmetric_wavefunctions(
    constants: RotationalConstants, j: IntArray, ka: IntArray, kc: IntArray
) -> tuple[FloatArray, ...]:
    """Return the coefficients of each level, shape (2j+1,) each, k = -j .. j."""
    states = {int(each): asymmetric_states(constants, int(each))[1] for each in np.unique(j)}
    return tuple(
        states[each][place + each] for each, place in zip(j.tolist(), (ka - kc).tolist(), strict=True)
    )


def symmetric_wavefunctions(j: IntArray, k: IntArray, odd: IntArray) -> tuple[FloatArray, ...]:
    """Return the coefficients of symmetric-top levels, shape (2j+1,) each: |j k> and |j -k> by halves.

    `odd` (n,) says which of the two has the minus sign; it has no effect where k = 0.
    """
    result = []
    for each, projection, minus in zip(j.tolist(), np.abs(k).tolist(), odd.tolist(), strict=True):
        vector = np.zeros(2 * each + 1)
        vector[each + projection] = 1.0 if projection == 0 else np.sqrt(0.5)
        if projection:
            vector[each - projection] = -np.sqrt(0.5) if minus else np.sqrt(0.5)
        result.append(vector)
    return tuple(result)


@lru_cache(maxsize=4096)
def _symbols(j: int, j_final: int, highest: int) -> FloatArray:
    """Return (-1)^k (j L j'; -k M k-M), shape (L+1, M+1, 2j+1), zero where a rule fails."""
    order = np.arange(highest + 1)[:, None, None]
    projection = np.arange(highest + 1)[None, :, None]
    k = np.arange(-j, j + 1)[None, None, :]
    symbols = wigner_3j(np.full_like(k, j), order, np.full_like(k, j_final), -k, projection, k - projection)
    return np.where(k % 2 == 0, symbols, -symbols)


def amplitudes(
    j: IntArray, states: tuple[FloatArray, ...], initial: IntArray, final: IntArray, highest: int
) -> tuple[FloatArray, FloatArray]:
    """Return amplitudes a_LM, shape (n, L+1, M+1), of transitions, and whether cosine terms cause them.

    a_LM = sqrt((2 - delta_M0) (2j'+1)) sum_k (-1)^k a_k b_(k-M) (j L j'; -k M k-M), 0 <= M <= L <= `highest`.
    The strengths are S_LM = a_LM^2: without interference of different M the rate j -> j' of the
    infinite-order sudden limit is the sum of S_LM k(00 -> LM) (Green 1976, J. Chem. Phys. 64, 3463).
    `initial` and `final` (n,) are indices of levels, `states` their wavefunctions, even or odd in k. The
    second array has 1 where the term is even under reflection in the plane a-b, else 0.
    """
    shape = (len(initial), highest + 1, highest + 1)
    result, cosine = np.zeros(shape), np.zeros(shape)
    pairs = np.stack([j[initial], j[final]], axis=1)
    sign = np.array([_sign(state) for state in states])
    orders, projections = np.arange(highest + 1)[:, None], np.arange(highest + 1)[None, :]
    for first, second in np.unique(pairs, axis=0).tolist():
        rows = np.flatnonzero((pairs == (first, second)).all(axis=1))
        symbols = _symbols(first, second, highest)
        left = np.stack([states[one] for one in initial[rows]])
        right = np.zeros((len(rows), 2 * first + 1, highest + 1))
        of_final = np.stack([states[one] for one in final[rows]])
        for m in range(highest + 1):
            k = np.arange(-first, first + 1) - m
            inside = np.abs(k) <= second
            right[:, inside, m] = of_final[:, k[inside] + second]
        amplitude = np.einsum("nk,nkm,lmk->nlm", left, right, symbols)
        result[rows] = np.sqrt((2 * second + 1) * np.where(projections > 0, 2.0, 1.0)) * amplitude
        reflected = (sign[initial[rows]] * sign[final[rows]])[:, None, None]
        parity = np.where((first + second + orders + projections) % 2 == 0, 1.0, -1.0)
        cosine[rows] = reflected * parity > 0
    return result, cosine


def _sign(state: FloatArray) -> float:
    """Return +1 for a wavefunction that is even under k -> -k, -1 for an odd one."""
    return 1.0 if float(state @ state[::-1]) >= 0 else -1.0
