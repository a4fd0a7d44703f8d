"""Rates as astropy tables and as data sets with CF attributes: the values of the store, with their units."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import ratedb
from ratedb import __version__
from ratedb.errors import RatedbError
from ratedb.layers import KINDS
from ratedb.levels import Levels
from ratedb.rates import Rates


@pytest.fixture(scope="module")
def rates(small_co: Path) -> Rates:
    return ratedb.open(small_co).rates("CO+p-H2")


def test_a_table_has_a_row_for_each_value_and_units_that_astropy_converts(rates: Rates) -> None:
    pytest.importorskip("astropy", reason="astropy (the extra astropy) is not installed")
    from astropy import constants, units

    table = rates.to_table()
    frame = rates.to_pandas()
    assert table.colnames == list(frame.columns)
    assert len(table) == len(frame) == int(np.isfinite(rates.rate_cm3_s).sum())
    one = table[(table["upper_label"] == "7") & (table["lower_label"] == "5")]
    curve = rates.curve("7", "5")
    np.testing.assert_array_equal(one["rate_cm3_s"].value, curve.rate_cm3_s[0])
    np.testing.assert_allclose(one["rate_cm3_s"].to_value("m3/s"), curve.rate_cm3_s[0] * 1e-6, rtol=1e-14)
    np.testing.assert_array_equal(one["temperature_k"].to_value(units.K), curve.temperature_k)
    kelvin = (one["upper_energy_cm1"] * constants.h * constants.c / constants.k_B).to_value("K")
    np.testing.assert_allclose(kelvin, 1.438776877 * curve.upper_energy_cm1[0], rtol=1e-9)
    assert table["log10_half_width_68"].unit == units.dex
    critical = 7.2e-8 / units.s / table["rate_cm3_s"]
    assert critical.unit.is_equivalent(units.cm**-3)


def test_a_table_says_where_its_values_are_from_also_after_ecsv(rates: Rates) -> None:
    pytest.importorskip("astropy", reason="astropy (the extra astropy) is not installed")
    from astropy.table import QTable

    table = rates.to_table()
    text = io.StringIO()
    table.write(text, format="ascii.ecsv")
    back = QTable.read(text.getvalue(), format="ascii.ecsv")
    np.testing.assert_array_equal(back["rate_cm3_s"], table["rate_cm3_s"])
    assert back["kind"].tolist() == table["kind"].tolist() == rates.to_pandas()["kind"].tolist()
    assert back.meta == table.meta
    assert (back.meta["system"], back.meta["ratedb_version"]) == ("CO+p-H2", __version__)
    assert back.meta["references"] == list(rates.references)
    assert back.meta["provenance"]["kinds"] == rates.provenance["kinds"]


def test_a_number_that_a_level_lacks_is_masked_in_a_table() -> None:
    pytest.importorskip("astropy", reason="astropy (the extra astropy) is not installed")
    numbers = {"j": np.array([0.5, 1.5, 1.5]), "F": np.array([np.nan, 1.0, 2.0])}
    levels = Levels("XY", ("a", "b", "c"), np.array([0.0, 1.0, 2.0]), np.ones(3), numbers)
    up, low = np.array([1, 2]), np.array([0, 0])
    table = Rates(levels, "He", up, low, np.array([10.0]), np.array([[1e-10], [2e-10]])).to_table()
    assert table["j"].tolist() == [1.5, 1.5]
    assert table["F"].tolist() == [1, 2]
    assert table["F_final"].mask.tolist() == [True, True]
    assert table["v"].mask.all()


def test_without_astropy_one_message_says_what_to_install(
    rates: Rates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "astropy", None)
    monkeypatch.setitem(sys.modules, "astropy.table", None)
    with pytest.raises(RatedbError, match="cannot be imported") as caught:
        rates.to_table()
    assert "pip install 'ratedb[astropy]'" in str(caught.value)


def test_the_attributes_of_a_data_set_follow_cf_and_survive_netcdf(rates: Rates, tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray", reason="xarray (the notebook extra) is not installed")
    made = rates.to_xarray()
    made.to_netcdf(tmp_path / "rates.nc", engine="scipy")
    with xarray.open_dataset(tmp_path / "rates.nc", engine="scipy") as found:
        assert found.attrs == made.attrs
        assert found.attrs["Conventions"].startswith("CF-1.")
        for name, variable in found.variables.items():
            assert set(made[name].attrs) == set(variable.attrs)
            assert variable.attrs["long_name"]
            for key, value in made[name].attrs.items():
                np.testing.assert_array_equal(variable.attrs[key], value)
        beside = found.rate_cm3_s.ancillary_variables.split()
        assert all(found[name].dims == found.rate_cm3_s.dims for name in beside)
        code = found.kind_code
        meaning = dict(zip(code.flag_values.tolist(), code.flag_meanings.split(), strict=True))
        assert code.dtype == code.flag_values.dtype == np.int8
        texts = [meaning[number].replace("not_known", "") for number in code.values.ravel().tolist()]
        assert texts == found.kind.values.ravel().tolist() == rates.kind.ravel().tolist()
        assert set(meaning.values()) == {"not_known", *KINDS}
        assert json.loads(found.attrs["provenance"])["system"] == "CO+p-H2"


def test_every_unit_of_a_data_set_is_one_that_astropy_reads_too(rates: Rates) -> None:
    pytest.importorskip("xarray", reason="xarray (the notebook extra) is not installed")
    pytest.importorskip("astropy", reason="astropy (the extra astropy) is not installed")
    from astropy import units

    made = rates.to_xarray()
    found = {name: units.Unit(made[name].units) for name in made.variables if "units" in made[name].attrs}
    assert found["rate_cm3_s"] == units.cm**3 / units.s
    assert found["temperature_k"] == units.K
    assert found["upper_energy_cm1"] == units.cm**-1
    assert found["log10_half_width_68"] == found["upper_weight"] == found["j"] == units.dimensionless_unscaled
