"""The texts of a snapshot for people and for reference managers: README.md and CITATION.cff."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ratedb.references import Reference

_ABOUT = {
    "rates": "the best value of each transition at each temperature",
    "rates_all": "every value, superseded ones too",
    "levels": "energy levels",
    "radiative": "radiative lines",
    "sources": "where the values come from: method, reference, DOI",
    "source_files": "the files that sources were read from",
    "source_events": "what was withdrawn, restored and corrected, with reasons",
    "source_orders": "orders of precedence, with reasons",
    "derivations": "what derived sources were made of",
    "findings": "findings of quality control",
    "models": "trained models",
    "plans": "plans of calculations",
}


def readme(manifest: Mapping[str, Any]) -> str:
    """Return README.md of a snapshot from its manifest."""
    rows = [
        f"| `{file['path']}` | {file['rows']} | {_ABOUT.get(file['path'].removesuffix('.parquet'), '')} |"
        for file in manifest["files"]
        if "rows" in file and "/" not in file["path"]
    ]
    by = f" by {', '.join(manifest['creators'])}" if manifest["creators"] else ""
    doi = [f"DOI: {manifest['doi']}", ""] if manifest["doi"] else []
    licence = manifest["licence"] or "not stated: ask those who published it"
    return "\n".join(
        [
            f"# {manifest['title']}",
            "",
            f"Version {manifest['version']}{by}, published {manifest['created'][:10]} with ratedb"
            f" {manifest['ratedb_version']}. Licence: {licence}.",
            "",
            *doi,
            f"Collisional rate coefficients of {', '.join(manifest['systems'])}. Rates are in cm3 s-1.",
            "",
            "| file | rows | what |",
            "|---|---|---|",
            *rows,
            "",
            "`manifest.json` has the SHA-256 of each file, and the type and unit of each column. `tables/` is"
            " what ratedb needs to open the snapshot.",
            "",
            "```python",
            "import duckdb; duckdb.sql(\"SELECT * FROM 'rates.parquet' LIMIT 5\")",
            'import pandas; pandas.read_parquet("rates.parquet")',
            'import ratedb; ratedb.open(".").rates("' + manifest["systems"][0] + '")',
            "```",
            "",
            "Cite this snapshot (CITATION.cff) and the sources of the rates that you use (references.bib):",
            "",
            *(f"- {one['reference']} ({', '.join(one['systems'])})" for one in manifest["citations"]),
            "",
        ]
    )


def citation_cff(manifest: Mapping[str, Any], references: Sequence[tuple[str, Reference]]) -> str:
    """Return CITATION.cff of a snapshot; texts are quoted as JSON, which is YAML too."""
    lines = [
        "cff-version: 1.2.0",
        'message: "Cite this snapshot and the sources of the rates that you use."',
        "type: dataset",
        f"title: {_quoted(manifest['title'])}",
        f"version: {_quoted(manifest['version'])}",
        f"date-released: {_quoted(manifest['created'][:10])}",
    ]
    lines += [f"doi: {_quoted(manifest['doi'])}"] if manifest["doi"] else []
    lines += [f"license: {_quoted(manifest['licence'])}"] if manifest["licence"] else []
    lines += _authors(manifest["creators"] or ["not stated"], "")
    lines += ["references:"] if references else []
    for text, parts in references:
        lines += ["  - type: article", f"    title: {_quoted(parts.title or text)}"]
        lines += [f"    doi: {_quoted(parts.doi)}"] if parts.doi else []
        lines += [f"    year: {parts.year}"] if parts.year else []
        lines += _authors(parts.authors.split("; ") if parts.authors else ["not stated"], "    ")
    return "\n".join([*lines, ""])


def _authors(names: Sequence[str], indent: str) -> list[str]:
    return [f"{indent}authors:", *(f"{indent}  - name: {_quoted(name)}" for name in names)]


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
