"""References read from texts and BibTeX, and written as BibTeX."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratedb.errors import RatedbError
from ratedb.io.bibtex import bibtex_entries, parse_bibtex, read_bibtex
from ratedb.references import Reference, parse_reference

NAMES = st.sampled_from(
    ["Yang", "Dayou", "Lique", "Le Bourlot", "van der Tak", "McCarroll", "O'Neil", "Ben-Reuven"]
)
YEARS = st.integers(1960, 2039)


@pytest.mark.parametrize(
    ("text", "authors", "year", "journal"),
    [
        ("Yang et al. (2010), ApJ 718, 1062", "Yang; et al.", 2010, "ApJ 718, 1062"),
        ("CO-pH2 from Yang et al. (2010)", "Yang; et al.", 2010, ""),
        ("Dayou & Balanca 2006", "Dayou; Balanca", 2006, ""),
        ("Lique, F. 2015, MNRAS 453, 810", "Lique, F.", 2015, "MNRAS 453, 810"),
        ("e-OH+ from Launay & Roueff, 1977, JPB, 10, 879", "Launay; Roueff", 1977, "JPB 10, 879"),
        (
            "K. Schroeder et al. 1991, J. Phys. B, 24, 2487",
            "Schroeder, K.; et al.",
            1991,
            "J. Phys. B 24, 2487",
        ),
        (
            "Abrahamsson, Krems, Dalgarno (2007, ApJ, 654, 1171)",
            "Abrahamsson; Krems; Dalgarno",
            2007,
            "ApJ 654, 1171",
        ),
        (
            "Staemmler, V., Flower, D.R. 1991, J. Phys. B, 24, 2343",
            "Staemmler, V.; Flower, D.R.",
            1991,
            "J. Phys. B 24, 2343",
        ),
    ],
)
def test_common_forms_are_split(text: str, authors: str, year: int, journal: str) -> None:
    found = parse_reference(text)
    assert (found.authors, found.year, found.journal) == (authors, year, journal)


@pytest.mark.parametrize(
    "text",
    [
        "not stated",
        "Updated December 2005",
        "LAMDA 2005",
        "HCN rates scaled by 1.37",
        "Flower & Launay (1977, JPB, 10, 3673); no corr. for Flower (1988)",
        "Coulomb-Born + recoupling (Faure 2012; Van der Tak et al 2013)",
    ],
)
def test_what_is_not_sure_is_left_out(text: str) -> None:
    assert parse_reference(text) == Reference()


@given(first=NAMES, second=NAMES, year=YEARS, form=st.sampled_from(["{0} & {1} {2}", "{0} and {1} ({2})"]))
def test_two_authors_and_the_year_are_found(first: str, second: str, year: int, form: str) -> None:
    found = parse_reference(form.format(first, second, year))
    assert (found.authors, found.year) == (f"{first}; {second}", year)


@given(st.text(max_size=80))
def test_any_text_gives_only_what_it_says(text: str) -> None:
    found = parse_reference(text)
    assert found.year is None or str(found.year) in text
    assert all(re.sub(r",? .*", "", one) in text for one in found.authors.split("; "))


@given(st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=40), YEARS)
def test_a_written_entry_has_balanced_braces_and_reads_back(text: str, year: int) -> None:
    [entry] = bibtex_entries([(text, Reference(authors="Doe, J.; et al.", year=year, journal="ApJ 1, 2"))])
    assert re.match(r"@article\{[A-Za-z0-9-]+,", entry)
    bare = re.sub(r"\\[{}]", "", entry)
    assert bare.count("{") == bare.count("}")
    found = parse_bibtex(entry)
    assert (found.authors, found.year, found.journal) == ("Doe, J.; et al.", year, "ApJ 1, 2")


def test_keys_are_unique_and_an_own_entry_stays_as_it_was_given() -> None:
    own = "@article{Doe2021, author = {Doe, J.}, note = {100 %}}"
    first, second, third = bibtex_entries(
        [("a", parse_bibtex(own)), ("Doe 2021", parse_reference("Doe 2021")), ("some & words", Reference())]
    )
    assert first == own
    assert second.startswith("@misc{Doe2021-2,")
    assert r"some \& words" in third


def test_two_texts_of_one_reference_are_one_entry_with_both() -> None:
    texts = ["CO-pH2 from Yang et al. (2010)", "CO-oH2 from Yang et al. (2010)"]
    [entry] = bibtex_entries([(text, parse_reference(text)) for text in texts])
    assert all(text in entry for text in texts)


def test_accents_and_braces_of_an_entry_are_read_as_letters() -> None:
    found = parse_bibtex(
        r"""@ARTICLE{x, author = {{Sch{\"o}ier}, F.~L. and Balan\c{c}a, C. and others},
        title = "{Rates of {H$_{2}$O} \& more}", year = 2005,
        journal = {\aap}, volume = 432, pages = {369-379},
        doi = {https://doi.org/10.1051/0004-6361:20041729}}"""
    )
    assert found.authors == "Schöier, F. L.; Balança, C.; et al."
    assert (found.year, found.journal) == (2005, "A&A 432, 369")
    assert found.doi == "10.1051/0004-6361:20041729"
    assert found.short() == "Schöier et al. 2005"


@pytest.mark.parametrize(
    "text", ["", "no entry", "@article{a, year = {2000}", "@misc{a, year=2000}\n@misc{b, year=1}"]
)
def test_a_file_without_just_one_entry_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "x.bib"
    file.write_text(text)
    with pytest.raises(RatedbError):
        read_bibtex(file)
