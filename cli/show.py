"""`ratedb show`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command
from .output import table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.physics.rotational_constants import MoleculeReport
    from ratedb.verbs.show import SystemReport


def _show(console: Console, result: SystemReport, options: Mapping[str, Any]) -> None:
    console.print(result.summary())
    said = result.why_kind if result.molecule_kind != "unknown" else f"unknown: {result.why_kind}"
    console.print(f"Kind of molecule: {said}", markup=False)
    for molecule in result.molecules:
        for line in _of_molecule(molecule):
            console.print(line, markup=False)
    for one in result.sources:
        if one["transitions"]:
            said = f"{one['kind']}, method {one['method']}, {one['reference'][:60]}"
            console.print(
                f"{one['transitions']} transitions from source {one['source_id']}: {said}", markup=False
            )
    if result.coverage:
        columns = list(result.coverage[0])
        rows = [[row[name] for name in columns] for row in result.coverage]
        title = f"Transitions by initial {'j' if 'j' in columns else 'state'}"
        console.print(table(title, columns, rows, text=()))
    for title, found, columns in (
        ("Sources", result.sources, ["source_id", "kind", "method", "reference", "file_name"]),
        ("Models", result.models, ["model_id", "kernel", "features", "train_j", "validate_j"]),
    ):
        if found:
            shown = [row | ({"kind": "withdrawn"} if row.get("withdrawn") else {}) for row in found]
            rows = [[row[name] for name in columns] for row in shown]
            console.print(table(title, columns, rows, text=range(5)))


def _of_molecule(molecule: MoleculeReport) -> Iterator[str]:
    """Yield what the levels say of one molecule: its constants, and its nuclear spin species."""
    for title, constants in (("fitted", molecule.constants_cm1), ("given", molecule.given_cm1)):
        if constants:
            said = ", ".join(f"{name} = {value:.5g}" for name, value in constants.items())
            of = f"{molecule.fitted_levels} levels, rms {molecule.residual_cm1:.2g} cm-1"
            of = f"fitted to {of}" if title == "fitted" else title
            yield f"Rotational constants of {molecule.molecule}: {said} cm-1 ({of})"
    if molecule.spin_species:
        yield f"Nuclear spins of {molecule.molecule}: {molecule.spin_species}"


show_command = command(
    Database.show,
    _show,
    arguments={"system": "Such as CO+p-H2."},
    example="ratedb show CO+p-H2",
)
