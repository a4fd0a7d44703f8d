"""Every LAMDA file of spectralradex: the kind that one expects, and linear molecules as they always were."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from lamda_text import spectralradex_files

from ratedb.io.lamda import read_lamda
from ratedb.kinds.header_words import header_words
from ratedb.kinds.labels import quantum_numbers
from ratedb.kinds.recognise import recognise, recognised, unknown_kind, why
from ratedb.kinds.species import spin_species
from ratedb.levels import Levels

KINDS = {
    "linear": "catom co cs@lique hc3n hcn hco+ hd hnc n+ sio",
    "linear + hyperfine": "hcl@hfs hcn@hfs",
    "linear with fine structure": "SO-pH2 o2",
    "linear with fine structure + hyperfine": "oh+",
    "linear in a Pi state": "oh",
    "linear in a Pi state + hyperfine": "oh@hfs",
    "asymmetric top": "o-c3h2 p-c3h2 o-sic2 oh2cs ph2cs oh2s ph2s so2@lowT",
    "asymmetric top with fine structure": "ch2_h2_ortho ch2_h2_para",
    "symmetric top": "o-h3o+ p-h3o+ o-nh3 p-nh3",
    "atom": "oatom",
    "unknown": "c+ hcl",  # a half-integer j alone; weights of 1.3, 4, 6 for F = 1.5
}
EXPECTED = {name: kind for kind, names in KINDS.items() for name in names.split()}


def levels_of(path: Path) -> Levels:
    return read_lamda(path).levels


@pytest.fixture(scope="module")
def files() -> dict[str, Levels]:
    return {path.stem: levels_of(path) for path in spectralradex_files()}


def test_every_file_has_the_kind_that_one_expects(files: dict[str, Levels]) -> None:
    assert {name: levels.kind for name, levels in files.items()} == EXPECTED


def test_what_show_says_of_stored_levels_is_what_was_recognised(files: dict[str, Levels]) -> None:
    for read in files.values():
        levels = replace(read, kind_reason="")
        assert why(levels) == why(read) or read.kind == "unknown"
        assert why(levels).startswith(levels.kind) or levels.kind == "unknown"
    assert "labels j_ka_kc, all 0 <= ka + kc - j <= 1, weights are 3 (2j+1)" in why(files["oh2s"])
    (said,) = unknown_kind(files["hcl"])
    assert "no linear + hyperfine, since the weights are not in proportion to (2F+1): 1.3 of 0 1.5" in said


def test_an_unknown_kind_says_why_in_one_sentence(files: dict[str, Levels]) -> None:
    (said,) = unknown_kind(files["c+"])
    assert "no linear, since j cannot be 0.5" in said
    assert "--kind-of-molecule" in said
    assert unknown_kind(files["co"]) == []


def test_linear_files_have_the_v_and_j_that_labels_and_weights_gave_before(files: dict[str, Levels]) -> None:
    for name in KINDS["linear"].split():
        levels = files[name]
        before = quantum_numbers(levels.label, "", levels.weight)
        assert before is not None
        assert list(levels.quantum_numbers) == ["v", "j"]
        for found, old in zip(levels.need_vj(), before, strict=True):
            np.testing.assert_array_equal(found, old)


def test_omega_is_the_projection_of_j_however_a_list_counts_it(files: dict[str, Levels]) -> None:
    """One list has Omega - 1/2 and the other 2PI3/2; below 100 cm-1 all levels are of 2Pi3/2, next 2Pi1/2."""
    for name in ("oh", "oh@hfs"):
        levels = files[name]
        j, omega = levels.quantum_numbers["j"], levels.quantum_numbers["omega"]
        np.testing.assert_array_equal(omega[levels.energy_cm1 < 100], 1.5)
        np.testing.assert_array_equal(omega[j == 0.5], 0.5)
        assert set(omega.tolist()) == {0.5, 1.5}
    without_words = recognise(files["oh"].label, "J, parity, Omega", files["oh"].weight)
    assert set(without_words.numbers["omega"].tolist()) == {0.0, 1.0}  # as listed: nothing says otherwise


def test_header_words_give_the_quantum_numbers_of_labels_again(files: dict[str, Levels]) -> None:
    assert "Omega - 1/2" in header_words(files["oh"])
    told = {name: levels for name, levels in files.items() if levels.quantum_numbers}
    for name, levels in told.items():
        bare = replace(levels, quantum_numbers={}, kind="")
        again = recognised(bare, " ".join(header_words(levels))).quantum_numbers
        assert {one: again[one].tolist() for one in again} == {
            one: values.tolist() for one, values in levels.quantum_numbers.items()
        }, name


def test_spin_species_follow_from_labels_and_weights(files: dict[str, Levels]) -> None:
    assert spin_species(files["oh2cs"]).words.startswith("ka even or odd")
    assert spin_species(files["oh2cs"]).value.tolist() == [1] * 40
    assert spin_species(files["ph2s"]).words.startswith("ka + kc even or odd")
    assert spin_species(files["p-nh3"]).value.tolist() == [0] * 24
    assert spin_species(files["co"]).words == ""
