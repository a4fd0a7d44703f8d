"""Names that are not known: the message suggests those most like them."""

from __future__ import annotations

import pytest

from ratedb.errors import UsageError, did_you_mean, one_of

SYSTEMS = ["CO+p-H2", "CO+o-H2", "SiO+He", "HCO++p-H2"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CO+pH2", "CO+p-H2"),
        ("co+P-H2", "CO+p-H2"),
        ("CO+ortho-H2", "CO+o-H2"),
        ("SiO+he", "SiO+He"),
        ("HCO+p-H2", "HCO++p-H2"),
    ],
)
def test_the_system_that_is_meant_comes_first(name: str, meant: str) -> None:
    found = did_you_mean(name, SYSTEMS)
    assert found is not None
    assert found.startswith(f"did you mean {meant}")


@pytest.mark.parametrize("name", ["", "+-", "xyz", "x" * 10_000, "CO+p-H2" * 100])
def test_nothing_is_suggested_for_what_is_like_no_name(name: str) -> None:
    assert did_you_mean(name, SYSTEMS) is None


def test_names_that_differ_in_case_only_are_both_suggested() -> None:
    assert did_you_mean("co+he", ["CO+He", "Co+He"]) == "did you mean CO+He or Co+He?"


def test_a_choice_suggests_what_is_like_it() -> None:
    with pytest.raises(UsageError, match="did you mean sparse"):
        one_of("engine", "sprase", ("basis", "sparse", "dense"))
