from __future__ import annotations

import numpy as np
import pytest
from quality_sets import kij_rates, lamda_rates, named, real_folder, sets

from ratedb.io.lamda import read_lamda
from ratedb.quality.check import check_rates
from ratedb.quality.sources import check_sources, check_title
from ratedb.rates import Rates

CLEAN = {
    "CO+p-H2": lambda: lamda_rates("co-h2-rot-yang2010/co.dat", "p-H2"),
    "CO+o-H2": lambda: lamda_rates("co-h2-rot-yang2010/co.dat", "o-H2"),
    "SiO+p-H2": lambda: kij_rates("sio-rot-dayou2006/SiO_100.kij", "SiO", 20, "p-H2"),
    "SiO+He": lambda: kij_rates("sio-rot-dayou2006/SiO_95.kij", "SiO", 27, "He"),
    "SiS+He": lambda: kij_rates("sis-he-rot-vincent2007/SiS_119.kij.svn-base", "SiS", 26, "He"),
    "HCN+H2": lambda: lamda_rates("hcn-h2-rot-dumouchel2010/hcn.dat", "H2"),
    "H2+H": lambda: sets.h2_h(real_folder(), low_k=0.0),
}


@pytest.mark.parametrize("name", CLEAN)
def test_a_published_set_without_known_defects_has_no_error_and_few_warnings(name):
    rates: Rates = CLEAN[name]()
    findings = check_rates(rates)
    assert len(named(findings, "error")) <= 0.005 * len(rates)
    assert len(named(findings, "warning")) <= 0.025 * len(rates)


@pytest.mark.parametrize("collider", ["p-H2", "o-H2"])
def test_the_scrambled_rows_of_hcl_are_found(collider):
    rates = lamda_rates("hcl-h2-rot-lanza2014/hcl.dat", collider)
    jumps = np.abs(np.diff(np.log(rates.rate_cm3_s), axis=1)).max(axis=1)
    found = named(check_rates(rates))
    scrambled = {rates.transition_name(row) for row in np.flatnonzero(jumps > 1.0)}
    assert len(scrambled & found) >= 0.95 * len(scrambled)
    assert not {rates.transition_name(row) for row in np.flatnonzero(jumps < 0.1)} & found


def test_the_low_row_of_co_with_h_is_the_only_error():
    rates = kij_rates("co-h-rot-balakrishnan2002/CO_60.kij", "CO", 17, "H")
    assert named(check_rates(rates), "error") == {"15 -> 10"}


def test_the_zeros_of_so_are_found():
    rates = lamda_rates("so-h2-rot-lique2006/so@lique.dat", "H2")
    zeros = [f for f in check_rates(rates) if f.rule == "non-positive"]
    assert len(zeros) == 15
    assert all(f.temperature_k is None for f in zeros)


def test_the_two_shapes_of_sio_are_found():
    grid = [10, 20, 30, 40, 50, 75, 100, 150, 200, 300, 500, 750, 1000, 1500, 2000, 2500, 3000]
    rates = sets.sio_vibrational(real_folder(), np.array(grid, dtype=np.float64), 4)
    assert [(f.rule, f.value) for f in check_rates(rates)] == [("few-shapes", 2.0)]


def test_a_real_table_of_two_digits_is_not_called_one_of_few_shapes():
    findings = check_rates(lamda_rates("sio-h2-rot-lamda/sio.dat", "H2"))
    assert "few-shapes" not in {f.rule for f in findings}


@pytest.mark.slow
def test_the_two_directions_of_nacl_and_its_placeholders_are_found():
    file = read_lamda(real_folder() / "nacl-h2-rovib-ios/nacl.dat")
    assert len(file.partners[0].findings) > 0.8 * len(file.partners[0].rates)
    assert {f.rule for f in file.partners[0].findings} == {"detailed-balance"}
    rates = file.partners[0].rates
    tiny = [f for f in check_rates(rates) if f.rule == "placeholder"]
    assert len(tiny) == (rates.rate_cm3_s < 1e-40).sum() > 0


def test_the_temperatures_of_hcop_are_found_wrong_by_its_title_and_by_another_source():
    path = "hcop-h2-rot-flower1999/HCO+_11.kij.svn-base"
    first = kij_rates(path, "HCO+", 21, "H2")
    second = lamda_rates("hcop-h2-rot-flower1999/hco+@xpol.dat", "H2")
    title = (real_folder() / path).read_text(encoding="utf-8").splitlines()[1]
    finding = check_title(title, first.temperature_k)
    assert finding is not None
    assert (finding.value, finding.expected) == (5.0, 10.0)
    assert [f.rule for f in check_sources(first, second)] == ["shifted-temperatures", "sources"]
