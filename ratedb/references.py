"""References in their parts, read from a text where that is sure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ratedb.safe_text import clean, clean_lines, has_hidden

OF_REFERENCE = ("authors", "year", "title", "journal", "doi", "bibtex")
"""The parts of a reference, in the order of the table source_reference."""


@dataclass(frozen=True)
class Reference:
    """The parts of a reference, empty where they are not known; `bibtex` is an entry as it was given.

    `authors` are separated by semicolons, `et al.` may be the last.
    """

    authors: str = ""
    year: int | None = None
    title: str = ""
    journal: str = ""
    doi: str = ""
    bibtex: str = ""

    def short(self) -> str:
        """Return authors and year, such as Yang et al. 2010; empty where one is not known."""
        names = [surname(one) for one in self.authors.split("; ")] if self.authors else []
        if not names or self.year is None:
            return ""
        if "et al." in names or len(names) > 2:
            return f"{names[0]} et al. {self.year}"
        return f"{' & '.join(names)} {self.year}"

    def cleaned(self) -> Reference:
        """Return the reference without control, direction and invisible characters."""
        return Reference(
            clean(self.authors),
            self.year,
            clean(self.title),
            clean(self.journal),
            clean(self.doi),
            clean_lines(self.bibtex),
        )

    def text(self) -> str:
        """Return the reference in one line."""
        head = f"{self.authors.replace('; ', ', ')} ({self.year})" if self.year else self.authors
        return ", ".join(part for part in (head, self.title, self.journal, self.doi) if part)


def surname(author: str) -> str:
    """Return the surname of an author such as `Yang, B.`."""
    return author.partition(",")[0].strip()


# -- from a text -------------------------------------------------------------------------------------

_DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"<>,;]*[^\s\"<>,;.)\]]")
_WORD = r"(?:Mc|Mac|[A-Z]['’])?[A-Z][a-zß-öø-ÿ]+(?:[-'’][A-Z]?[a-zß-öø-ÿ]+)*"
_PARTICLE = r"(?:[Vv]an der|[Vv]an den|[Vv]an|[Vv]on|[Dd]e|[Dd]i|[Ll]e|[Ll]a|[Dd]en) "
_NAME = rf"(?:{_PARTICLE})?{_WORD}"
_INITIALS = r"(?:[A-Z]\.[ -]?)+"
_LISTED = rf"{_NAME},? {_INITIALS}"
_AUTHORS = re.compile(
    rf"(?P<authors>{_LISTED}(?:(?:,|;|,? ?and|,? ?&) ?{_LISTED})*(?:,? ?et al\.?)?"
    rf"|(?:{_INITIALS})?{_NAME},? et al\.?"
    rf"|{_NAME}(?:, {_NAME})*,? (?:&|and) {_NAME}"
    rf"|{_NAME}(?:, {_NAME})+"
    rf"|{_NAME}),? ?\(?(?P<year>(?:19[3-9]|20[0-4])\d)[a-z]?\b"
)
_JOURNAL = re.compile(
    r"^\)?,? ?(?P<name>[A-Z][A-Za-z.&]*(?: ?[A-Z][A-Za-z.&]*){0,4}),? (?P<volume>\d{1,5}[A-Z]?),? "
    r"(?:p+\. ?)?(?P<page>[A-Z]?\d+)"
)
YEAR = re.compile(r"\b(?:19[3-9]|20[0-4])\d\b")
_BEFORE_A_NAME = re.compile(r"(?:^|[(:;!]|\b(?:from|by|of|see|after|cf))\s*$")
_CUT = re.compile(r"(?:\b[A-Z][\w'’.-]*,|&|\band|-)\s*$")
"""What before authors says that they are not all: another name, or a word that they are a part of."""
_NO_NAMES = re.compile(
    r"\b(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?|Version|Data|Table|Updated?|Release|Rates|Collisions|Lamda|Basecol|Hitran"
    r"|Database|Figure|Private|Paper)\b"
)

_LONGEST = 1000  # the time to look for authors grows with the square of the length


def parse_reference(text: str) -> Reference:
    """Return the parts of a reference such as `Yang et al. (2010), ApJ 718, 1062`.

    Parts that are not sure are empty: with several years or works, or in a very long text, none is taken.
    """
    text = " ".join(text.split())
    if len(text) > _LONGEST:
        return Reference()
    doi = _DOI.search(text)
    rest = text.replace(doi.group(), "") if doi else text
    found = Reference(doi=doi.group() if doi else "")
    matches = [one for one in _AUTHORS.finditer(rest) if _is_sure(rest, one)]
    if len(matches) != 1 or len(set(YEAR.findall(_without_pages(rest)))) != 1:
        return found
    match = matches[0]
    authors = _authors_of(match["authors"])
    journal = _JOURNAL.match(rest[match.end() :])
    named = f"{journal['name'].strip()} {journal['volume']}, {journal['page']}" if journal else ""
    return replace(found, authors=authors, year=int(match["year"]), journal=named)


def _is_sure(text: str, match: re.Match[str]) -> bool:
    """Return whether a match reads as authors: no month or table, a lone name only where one is expected."""
    authors = match["authors"]
    if _NO_NAMES.search(authors) is not None:
        return False
    if _CUT.search(text[: match.start()]) is not None:
        return False
    lone = re.fullmatch(_NAME, authors) is not None
    return not lone or _BEFORE_A_NAME.search(text[: match.start()]) is not None


def _without_pages(text: str) -> str:
    """Return a text without numbers behind a volume, such as the page of `JPhysB 20, 2000`."""
    return re.sub(r"(?<=\d, )\d{4}(?:-\d+)?\b(?!\))", "", text)


def _authors_of(text: str) -> str:
    """Return authors separated by semicolons, each as `Surname, Initials` where they have initials."""
    text, others = re.subn(r",? et al\.?$", "", text.strip())
    listed = re.findall(rf"{_NAME},? {_INITIALS}", text)
    if listed:
        names = [re.sub(rf"^({_NAME}),? ", r"\1, ", one).strip() for one in listed]
    else:
        names = [one.strip() for one in re.split(r", (?:& |and )?| & | and ", text)]
    names = [re.sub(rf"^({_INITIALS})({_NAME})$", r"\2, \1", one).strip() for one in names]
    return "; ".join([*names, *(["et al."] if others else [])])


def is_doi(text: str) -> bool:
    """Return whether a text is a DOI."""
    return _DOI.fullmatch(text) is not None and not has_hidden(text)
