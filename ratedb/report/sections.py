"""The words and tables of a page about one system, ready for its template; the template escapes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import numpy as np

from ratedb.io.citations import citations_of_system
from ratedb.layers import Kind, temperatures_text
from ratedb.planning.coverage import coverage
from ratedb.references import is_doi
from ratedb.report.contents import SystemContents

MOST_FINDINGS = 200
"""More findings than these are counted, not listed."""

_GRAVE = ("error", "warning", "note")


def facts(contents: SystemContents) -> dict[str, Any]:
    """Return what a system is: levels, transitions, temperatures, and its values by kind."""
    best, by_state = contents.best, _coverage(contents)
    return {
        "system": contents.system,
        "molecule": best.levels.molecule,
        "collider": best.collider,
        "molecule_kind": best.levels.kind,
        "levels": len(contents.level_order),
        "transitions": len(best),
        "temperatures": temperatures_text(best.temperature_k),
        "values": int((best.kind_code >= 0).sum()),
        "marked": int(best.marked.sum()),
        "extrapolated": int(best.extrapolated.sum()),
        "kinds": _kinds(contents),
        "coverage": by_state,
        "missing": sum(row["missing"] for row in by_state),
    }


def _kinds(contents: SystemContents) -> list[dict[str, Any]]:
    """Return how many values and transitions are of each kind, and their share of all values, in %."""
    codes = contents.best.kind_code
    total = max(int((codes >= 0).sum()), 1)
    return [
        {
            "kind": kind.text,
            "values": int((codes == kind).sum()),
            "transitions": int((codes == kind).any(axis=1).sum()),
            "percent": 100.0 * float((codes == kind).sum()) / total,
        }
        for kind in Kind
        if (codes == kind).any()
    ]


def _coverage(contents: SystemContents) -> list[dict[str, Any]]:
    """Return the transitions computed, predicted and missing by initial j or state."""
    codes = contents.best.kind_code
    kind = np.where(codes >= 0, codes, len(Kind)).min(axis=1, initial=len(Kind))
    return coverage(contents.best.transitions, kind)


def findings(contents: SystemContents) -> dict[str, Any]:
    """Return the findings of quality control, the gravest first, and how many there are of each rule."""
    rows = sorted(contents.findings, key=lambda row: _GRAVE.index(row["severity"]))
    counts = Counter((row["severity"], row["rule"]) for row in rows)
    return {
        "total": len(rows),
        "counts": [{"severity": s, "rule": r, "number": n} for (s, r), n in counts.items()],
        "rows": [{**row, "transition": _transition(row)} for row in rows[:MOST_FINDINGS]],
    }


def newer_models(contents: SystemContents) -> list[int]:
    """Return the models whose predictions count now and that the impact on the page did not know."""
    if contents.affected is None:
        return []
    best = contents.best
    used = np.unique(best.source_id[best.kind_code == Kind.PREDICTED]).tolist()
    models = {best.sources[number].get("model_id") for number in used if number in best.sources}
    return sorted(int(one) for one in models - contents.affected.model_ids if one is not None)


def _transition(row: Mapping[str, Any]) -> str:
    if row["upper_label"] is None:
        return "all"
    if row["lower_label"] is None:
        return f"out of {row['upper_label']}"
    return f"{row['upper_label']} \u2192 {row['lower_label']}"


def sources(contents: SystemContents) -> list[dict[str, Any]]:
    """Return the sources, first those that give most values, each with a link where it has a DOI.

    `rates` are its values, and `best` those of them that count.
    """
    given, used = np.unique(contents.best.source_id, return_counts=True)
    count = dict(zip(given.tolist(), used.tolist(), strict=True))
    rows = [
        {
            **row,
            "link": doi_link(row["doi"]),
            "rates": _values_of(contents, row["source_id"]),
            "best": count.get(row["source_id"], 0),
        }
        for row in contents.sources
    ]
    return sorted(rows, key=lambda row: -row["best"])


def _values_of(contents: SystemContents, source_id: int) -> int:
    rates = contents.curves.get(source_id)
    return 0 if rates is None else int(np.isfinite(rates.rate_cm3_s).sum())


def doi_link(doi: str | None) -> str | None:
    """Return the address of a DOI, None for what is no DOI."""
    return f"https://doi.org/{quote(doi, safe='/()')}" if doi and is_doi(doi) else None


def citations(contents: SystemContents) -> dict[str, Any]:
    """Return the references to cite for the rates of a system, and all of them as BibTeX."""
    found = citations_of_system(contents.best)
    listed = [
        {"reference": one.reference, "use": one.use, "kind": one.kind, "link": doi_link(one.parts.doi)}
        for one in found.citations
    ]
    return {"rows": listed, "method": found.method, "bibtex": "\n\n".join(found.bibtex)}
