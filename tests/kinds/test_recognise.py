"""What proves a kind, and what does not: nothing is guessed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from real import shared_folder

from ratedb.errors import RatedbError, UsageError
from ratedb.io.level_lists import read_levels_of
from ratedb.io.registry import read_rates
from ratedb.kinds.labels import named_numbers
from ratedb.kinds.reading import joined, known_kinds, read_kind
from ratedb.kinds.recognise import as_kind, recognise, recognised, with_kind
from ratedb.kinds.species import spin_species
from ratedb.levels import Levels, vj

WATER = ("0_0_0", "1_1_1", "2_0_2", "2_1_1", "2_2_0")
WATER_CM1 = (0.0, 37.1, 70.1, 95.2, 136.2)


@pytest.mark.parametrize(
    ("style", "header"),
    [
        ("{}_{}_{}", ""),
        ("{} {} {}", "J"),
        ("{},{},{}", "QNUM"),
        ("{}({},{})", ""),
        ("{}_{{{},{}}}", ""),
        ("{}_{}_{}", "J_Ka_Kc"),
        ("{}_{}_{}", "J_K+_K-"),
        ("{} {} {}", "N Kp Ko"),
        ("{}{}{}", ""),
    ],
)
def test_every_style_of_j_ka_kc_is_read(style: str, header: str) -> None:
    labels = [style.format(*label.split("_")) for label in WATER]
    found = recognise(labels, header, (1, 3, 5, 5, 5), WATER_CM1)
    assert found.kind == "asymmetric top"
    assert {name: values.tolist() for name, values in found.numbers.items()} == {
        "j": [0, 1, 2, 2, 2],
        "ka": [0, 1, 0, 1, 2],
        "kc": [0, 1, 2, 1, 0],
    }


@pytest.mark.parametrize(
    ("labels", "header", "weights", "energies", "reason"),
    [
        (("0_0_0", "1_1_1", "2_0_2", "2_1_2", "2_2_2"), "J_Ka_Kc", (1, 3, 5, 5, 5), None, "0 <= ka + kc - j"),
        (WATER, "J_Ka_Kc", (1, 3, 5, 7, 5), None, "nuclear spin weights"),
        (WATER, "J_Ka_Kc", (1, 3.1, 5.7, 5.2, 8), None, "not in proportion to (2j+1)"),
        (
            ("1_0_1", "1_1_1", "1_1_0", "2_0_2", "2_1_1"),
            "J_Ka_Kc",
            (9, 3, 9, 15, 15),
            None,
            "several nuclear spin weights",
        ),
        (WATER, "J_Ka_Kc", (1, 3, 5, 5, 5), (80.0, 37.1, 70.1, 95.2, 136.2), "the energy falls"),
        (("1_0", "0_1", "1_2"), "", (1, 3, 5), None, "no header names"),
        (("0 1.5", "1 1.5", "1 2.5"), "J, F", (1.3, 4, 6), None, "not in proportion to (2F+1)"),
        (("0 0.5", "1 7.5"), "J F", (2, 16), None, "no spin up to 4.5 couples j and F"),
        (("0 0.5", "1 1"), "J F", (2, 3), None, "no spin couples j and F"),
        (("3_4_0", "1_1_0", "2_1_1", "3_1_1"), "J,K,inv-sym", (7, 3, 5, 7), None, "not |k| <= j"),
        (("1_1_2", "1_1_0", "2_1_1", "3_1_1"), "J,K,inv-sym", (3, 3, 5, 7), None, "inversion cannot be 2"),
        (("2_1", "2_1.2"), "J_K", (5, 5), None, "k cannot be 1.2"),
        (("A1 2", "E 1"), "J_K", (5, 3), None, "no kind that is known"),
        (("5",), "J", (11,), None, "fewer than two levels"),
    ],
)
def test_what_contradicts_a_kind_leaves_it_unknown_and_is_the_reason(
    labels: tuple[str, ...],
    header: str,
    weights: tuple[float, ...],
    energies: tuple[float, ...] | None,
    reason: str,
) -> None:
    found = recognise(labels, header, weights, energies)
    assert found.kind == "unknown"
    assert reason in found.reason


def test_an_ortho_and_para_list_shows_what_collisions_conserve() -> None:
    labels = ("0_0_0", "1_0_1", "1_1_1", "1_1_0", "2_0_2", "2_1_2")
    weights = (1, 9, 3, 9, 5, 15)
    levels = recognised(Levels("H2O", labels, (0, 23.8, 37.1, 42.4, 70.1, 79.5), weights), "J_Ka_Kc")
    assert levels.kind == "asymmetric top"
    assert spin_species(levels).value.tolist() == [0, 1, 0, 1, 0, 1]


def test_two_molecules_are_a_pair_where_the_header_names_both() -> None:
    labels = ("0_0_0_0", "1_1_1_0", "0_0_0_2", "1_1_1_2")
    found = recognise(labels, "j ka kc j2", (1, 3, 5, 15), (0.0, 37.0, 354.0, 391.0))
    assert (found.kind, list(found.numbers)) == ("asymmetric top x linear", ["j", "ka", "kc", "j2"])
    assert "weights are 1 (2j+1)(2j2+1)" in found.reason
    assert recognise(labels, "", (1, 3, 5, 15)).kind == "unknown"


def test_hyperfine_levels_of_a_top_are_a_kind_without_a_file_of_their_own() -> None:
    labels = ("0_0_0_1", "1_0_1_0", "1_0_1_1", "1_0_1_2")
    found = recognise(labels, "J_Ka_Kc_F", (3, 1, 3, 5))
    assert found.kind == "asymmetric top + hyperfine"
    assert found.numbers["F"].tolist() == [1, 0, 1, 2]


# -- properties ---------------------------------------------------------------------------------------

SEPARATORS = st.sampled_from(["_", " ", ",", ", ", ";"])


@st.composite
def top_levels(draw: st.DrawFn) -> list[tuple[int, int, int]]:
    j_max = draw(st.integers(2, 12))
    every = [
        (j, ka, kc)
        for j in range(j_max + 1)
        for ka in range(j + 1)
        for kc in (j - ka, j - ka + 1)
        if kc <= j and (ka or kc == j)
    ]
    return draw(st.lists(st.sampled_from(every), unique=True, min_size=4))


@settings(deadline=None)
@given(
    levels=top_levels(), separator=SEPARATORS, factor=st.sampled_from([1.0, 3.0, 9.0]), named=st.booleans()
)
def test_any_levels_of_an_asymmetric_top_are_read_or_left_alone(
    levels: list[tuple[int, int, int]], separator: str, factor: float, named: bool
) -> None:
    labels = [separator.join(map(str, level)) for level in levels]
    weights = [factor * (2 * j + 1) for j, _, _ in levels]
    found = recognise(labels, "J_Ka_Kc" if named else "", weights)
    assert found.kind == "asymmetric top"
    assert list(zip(*(found.numbers[name].tolist() for name in ("j", "ka", "kc")), strict=True)) == levels


@settings(deadline=None)
@given(
    pairs=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 20)), min_size=1, max_size=8, unique=True),
    separator=st.one_of(st.none(), SEPARATORS),
    header=st.sampled_from(["J", "v_J", "J + V", "QNUM", "N_J", "J_F (v=0)", ""]),
    shift=st.sampled_from([0, 0, 0, 1]),
)
def test_v_and_j_are_those_that_labels_gave_before_there_were_kinds(
    pairs: list[tuple[int, int]], separator: str | None, header: str, shift: int
) -> None:
    labels = [str(j) if separator is None else f"{v}{separator}{j}" for v, j in pairs]
    weights = [2.0 * j + 1 + shift for _, j in pairs]
    before = named_numbers(labels, header, weights)
    found = recognise(labels, header, weights)
    linear = set(before) == {"v", "j"}
    assert (found.kind == "linear", set(found.numbers) == {"v", "j"}) == (linear, linear)
    for name in before if linear else ():
        np.testing.assert_array_equal(found.numbers[name], before[name])


# -- kinds that the user names --------------------------------------------------------------------------


def test_a_named_kind_is_taken_whatever_the_weights_say() -> None:
    levels = Levels("X", WATER, WATER_CM1, (1, 2, 1, 2, 1))
    assert recognised(levels).kind == "unknown"
    named = as_kind(levels, "asymmetric-top")
    assert (named.kind, named.quantum_numbers["kc"].tolist()) == ("asymmetric top", [0, 1, 2, 1, 0])


def test_a_named_kind_that_labels_do_not_fit_is_refused() -> None:
    levels = recognised(Levels("X", WATER, WATER_CM1, (1, 3, 5, 5, 5)))
    with pytest.raises(RatedbError, match="do not fit the kind symmetric top") as caught:
        as_kind(levels, "symmetric top")
    assert caught.value.got is not None
    with pytest.raises(UsageError, match="not a kind of molecule"):
        as_kind(levels, "cubic")
    assert as_kind(levels, "unknown").quantum_numbers == {}


def test_linear_levels_stay_linear() -> None:
    levels = Levels("CO", ("0", "1"), (0.0, 3.8), (1, 9), vj([0, 0], [0, 1]))
    assert with_kind(levels) is levels


# -- a new kind is a new file ---------------------------------------------------------------------------

NEW = r"""
name = "spherical top"
words = "a molecule with three equal moments of inertia, as CH4"
labels = ['(?P<j>{n})(?P<symmetry>A1|A2|E|F1|F2)(?P<count>{n})']
unit = ["j", "symmetry"]
fewest_unnamed = 3

[[number]]
name = "j"
words = "rotational angular momentum"

[[number]]
name = "symmetry"
words = "symmetry species"
written = { A1 = 1, A2 = 2, E = 3, F1 = 4, F2 = 5 }

[[number]]
name = "count"
words = "number among those of one j and symmetry"

[weight]
momenta = ["j"]
factors = 3
by = ["symmetry"]

[[species]]
of = "symmetry"
words = "A, E and F"
"""


def test_a_new_kind_is_a_new_file_and_no_new_code() -> None:
    kinds = (*known_kinds(), *joined([read_kind(NEW, "spherical.toml")]))
    labels, weights = ("0A11", "1F11", "2E1", "2F21", "3A21"), (5, 9, 10, 15, 35)
    found = recognise(labels, "", weights, kinds=kinds)
    assert found.kind == "spherical top"
    assert found.numbers["symmetry"].tolist() == [1, 4, 3, 5, 2]
    assert recognise(labels, "", weights).kind == "unknown"


@pytest.mark.parametrize(
    ("old", "new", "got"),
    [
        ('name = "spherical top"', "", "no 'name'"),
        ("factors", "factor_count", ""),
        ('unit = ["j", "symmetry"]', 'unit = ["k"]', "k"),
        ("by = ", "colour = 1\nby = ", ""),
        ("fewest_unnamed", "fewest", "fewest"),
        ("(?P<j>", "(?P<j", ""),
        ('momenta = ["j"]', 'momenta = ["F"]', "F"),
        ('of = "symmetry"', 'of = "symmetry *"', "symmetry *"),
        ('words = "A, E and F"', "", "no 'words'"),
        ("[weight]", "[weight", ""),
    ],
)
def test_a_file_that_describes_no_kind_is_refused_with_its_name(old: str, new: str, got: str) -> None:
    with pytest.raises(RatedbError) as caught:
        read_kind(NEW.replace(old, new, 1), "spherical.toml")
    assert caught.value.where == "spherical.toml" or got == "symmetry *"
    assert got in str(caught.value.got)


def test_every_kind_has_its_own_name_and_says_what_one_calculation_covers() -> None:
    names = [kind.name for kind in known_kinds()]
    assert len(set(names)) == len(names)
    assert all(kind.unit and set(kind.unit) <= set(kind.names) for kind in known_kinds())


# -- real lists -----------------------------------------------------------------------------------------

SYMMETRIC = {"onh3-ph2", "pnh3-ph2"}
INCOMPLETE = {"oc3h2-h2", "pc3h2-h2", "oh3op-ph2", "ph3op-ph2"}  # rows with fewer cells than names


def test_every_set_of_tops_has_its_kind() -> None:
    for folder in sorted(path for path in shared_folder("tops").iterdir() if path.is_dir()):
        path = folder / "levels.csv"
        if folder.name in INCOMPLETE:
            with pytest.raises(RatedbError, match="does not tell the levels of X apart"):
                read_levels_of([path], "X")
            continue
        kind = "symmetric top" if folder.name in SYMMETRIC else "asymmetric top"
        assert read_levels_of([path], "X").levels.kind == kind, folder.name


def test_the_partner_of_two_molecules_has_its_kind_and_so_has_the_pair(tmp_path: Path) -> None:
    folder = shared_folder("tops")
    partner = folder / "oh2o-oh2-daniel2011" / "partner_levels.csv"
    assert read_levels_of([partner], "o-H2").levels.kind == "linear"
    partner = folder / "ph2o-h2o-mqct" / "partner_levels.csv"
    assert read_levels_of([partner], "H2O").levels.kind == "asymmetric top"


def test_o_h2co_is_an_asymmetric_top_of_odd_ka() -> None:
    levels = read_rates(shared_folder("h2co-h2-rot-wiesenfeld2013") / "oh2co-h2.dat").levels
    assert levels.kind == "asymmetric top"
    assert set(spin_species(levels).value.tolist()) == {1}
