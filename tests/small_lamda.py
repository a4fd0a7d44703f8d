"""LAMDA text of a few levels, with a line and a rate for each pair of them."""

from __future__ import annotations

from collections.abc import Sequence

GHZ_PER_CM1 = 29.9792458


def lamda_text(molecule: str, levels: Sequence[tuple[float, float, str]], header: str, partner: str) -> str:
    """Return the text of a LAMDA file with levels of energy (cm-1), weight and label, and one partner."""
    pairs = [(i, k) for i in range(1, len(levels) + 1) for k in range(1, i)]
    rows = [f"{n} {e} {g} {label}" for n, (e, g, label) in enumerate(levels, start=1)]
    ghz = [(levels[i - 1][0] - levels[k - 1][0]) * GHZ_PER_CM1 for i, k in pairs]
    lines = [
        f"{n} {i} {k} 1.0e-5 {f:.7f}" for n, ((i, k), f) in enumerate(zip(pairs, ghz, strict=True), start=1)
    ]
    rates = [f"{n} {i} {k} {n}.0e-11 {n}.5e-11" for n, (i, k) in enumerate(pairs, start=1)]
    return "\n".join(
        [
            f"!MOLECULE\n{molecule}\n!MOLECULAR WEIGHT\n30.0\n!NUMBER OF ENERGY LEVELS\n{len(levels)}",
            f"!LEVEL + ENERGIES(cm^-1) + WEIGHT + {header}",
            *rows,
            f"!NUMBER OF RADIATIVE TRANSITIONS\n{len(lines)}\n!TRANS + UP + LOW + A(s^-1) + FREQ(GHz)",
            *lines,
            f"!NUMBER OF COLL PARTNERS\n1\n!COLLISIONS BETWEEN\n{partner} made up",
            f"!NUMBER OF COLL TRANS\n{len(rates)}\n!NUMBER OF COLL TEMPS\n2\n!COLL TEMPS\n10.0 50.0",
            "!TRANS + UP + LOW + RATES(cm^3 s^-1)",
            *rates,
            "",
        ]
    )
