"""References read from BibTeX, and written as BibTeX."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from ratedb.errors import RatedbError
from ratedb.files import InputFile
from ratedb.references import YEAR, Reference, surname
from ratedb.safe_text import clean_lines

_ENTRY = re.compile(r"@\s*([A-Za-z]+)\s*\{", re.ASCII)
_NO_ENTRIES = ("comment", "string", "preamble")
_FIELD = re.compile(r"([A-Za-z][\w-]*)\s*=\s*")
_ACCENTS = dict(
    zip(
        "`'^\"~=.cvuHk",
        "\u0300\u0301\u0302\u0308\u0303\u0304\u0307\u0327\u030c\u0306\u030b\u0328",
        strict=True,
    )
)
_SPECIAL = {"\\ss": "ß", "\\o": "ø", "\\O": "Ø", "\\l": "ł", "\\L": "Ł", "\\ae": "æ", "\\aa": "å", "\\i": "i"}
_MACROS = {
    **{"apj": "ApJ", "apjl": "ApJL", "apjs": "ApJS", "aap": "A&A", "aaps": "A&AS", "mnras": "MNRAS"},
    **{"jcp": "J. Chem. Phys.", "pra": "Phys. Rev. A", "jqsrt": "JQSRT", "aj": "AJ", "icarus": "Icarus"},
}


def read_bibtex(path: Path) -> Reference:
    """Return the one entry of a BibTeX file; raises RatedbError where there is not just one."""
    text = InputFile.read(path).content.decode("utf-8", "replace")
    entries = list(_entries(text, path))
    if len(entries) != 1:
        raise RatedbError(
            "a BibTeX file names one reference",
            where=str(path),
            expected="one entry, such as @article{key, author = {...}, year = 2010}",
            got=f"{len(entries)} entries",
            todo="import files of different references one by one, each with its entry",
        )
    return parse_bibtex(clean_lines(entries[0]))


def parse_bibtex(entry: str) -> Reference:
    """Return the parts of one entry, with the entry itself as it is given."""
    fields = _fields(entry)
    authors = "; ".join(
        _plain(one) for one in re.split(r"\s+and\s+", fields.get("author", "")) if one.strip()
    )
    year = YEAR.search(fields.get("year", fields.get("date", "")))
    name = fields.get("journal", fields.get("journaltitle", ""))
    name = _MACROS.get(name.lstrip("\\").lower(), _plain(name))
    pages = _plain(fields.get("pages", fields.get("eid", ""))).partition("-")[0].strip()
    volume = _plain(fields.get("volume", ""))
    doi = re.sub(r"^(?:https?://(?:dx\.)?doi\.org/|doi:\s*)", "", _plain(fields.get("doi", "")), flags=re.I)
    return Reference(
        authors=re.sub(r"\bothers$", "et al.", authors),
        year=int(year.group()) if year else None,
        title=_plain(fields.get("title", "")),
        journal=", ".join(part for part in (f"{name} {volume}".strip(), pages) if part) if name else "",
        doi=doi,
        bibtex=entry,
    )


def _entries(text: str, path: Path) -> Iterator[str]:
    place = 0
    while (match := _ENTRY.search(text, place)) is not None:
        end = _closing(text, match.end() - 1)
        if end is None:
            line = text.count("\n", 0, match.start()) + 1
            raise RatedbError(
                "this BibTeX entry has no end",
                where=f"{path}, line {line}",
                expected="as many } as {",
                got=text[match.start() :].splitlines()[0],
            )
        if match.group(1).lower() not in _NO_ENTRIES:
            yield text[match.start() : end + 1]
        place = end + 1


def _closing(text: str, place: int) -> int | None:
    """Return where the brace at `place` is closed, None where it is not."""
    depth = 0
    for number in range(place, len(text)):
        if text[number] in "{}" and text[number - 1] != "\\":
            depth += 1 if text[number] == "{" else -1
            if depth == 0:
                return number
    return None


def _fields(entry: str) -> dict[str, str]:
    """Return the fields of an entry by their names in lower case, the first of each."""
    found: dict[str, str] = {}
    place = entry.find(",") + 1
    while place and (match := _FIELD.search(entry, place)) is not None:
        start = match.end()
        if entry[start : start + 1] == "{":
            end = _closing(entry, start) or len(entry) - 1
            value = entry[start + 1 : end]
        elif entry[start : start + 1] == '"':
            quote = re.compile(r'(?<!\\)"(?=\s*[,}])').search(entry, start + 1)
            end = quote.start() if quote else len(entry) - 1
            value = entry[start + 1 : end]
        else:
            end = next((n for n in range(start, len(entry)) if entry[n] in ",}\n"), len(entry))
            value = entry[start:end].strip()
        found.setdefault(match.group(1).lower(), " ".join(value.split()))
        place = end + 1
    return found


def _plain(text: str) -> str:
    """Return a text of BibTeX without braces, its accents as letters."""

    def accented(match: re.Match[str]) -> str:
        letter = match["letter"].replace("\\i", "i").replace("\\j", "j")
        return unicodedata.normalize("NFC", letter + _ACCENTS[match["accent"]])

    text = re.sub(
        r"\\(?P<accent>[`'^\"~=.]|[cvuHk](?=[ {]))\s*\{?(?P<letter>\\[ij](?![a-z])|[A-Za-z])\}?",
        accented,
        text,
    )
    text = re.sub(r"\\(?:ss|ae|aa|o|O|l|L|i)(?![A-Za-z])\s?", lambda one: _SPECIAL[one.group().strip()], text)
    text = re.sub(r"\\([&%$#_{}])", r"\1", text).replace("~", " ").replace("--", "-")
    return " ".join(re.sub(r"[{}]", "", text).split())


# -- as BibTeX ---------------------------------------------------------------------------------------

_ESCAPED = str.maketrans(
    {**{one: f"\\{one}" for one in "&%$#_{}"}, "\\": r"\textbackslash{}", "~": r"\~{}", "^": r"\^{}"}
)


def bibtex_entries(references: Sequence[tuple[str, Reference]]) -> list[str]:
    """Return an entry for each reference, given with its text, each once and each with another key.

    An entry that was given is printed as it is, with another key only where the key is taken.
    """
    entries: list[str] = []
    keys: set[str] = set()
    for text, reference in _merged(references):
        match = re.match(r"(@\s*\w+\s*\{\s*)([^\s,{}]+)", reference.bibtex)
        key = _unique(match.group(2) if match else _key(text, reference), keys)
        keys.add(key.lower())
        if match:
            entries.append(f"{match.group(1)}{key}{reference.bibtex[match.end() :]}")
        else:
            entries.append(_built(key, text, reference))
    return entries


def _merged(references: Sequence[tuple[str, Reference]]) -> list[tuple[str, Reference]]:
    """Return references with those of the same parts as one, whose text is that of all."""
    found: dict[object, list[tuple[str, Reference]]] = {}
    for text, reference in dict.fromkeys(references):
        same = reference.doi.lower() or (reference if reference.authors and reference.year else text)
        found.setdefault(same, []).append((text, reference))
    return [("; ".join(text for text, _ in ones), ones[0][1]) for ones in found.values()]


def _key(text: str, reference: Reference) -> str:
    name = (
        surname(reference.authors.partition(";")[0])
        if reference.authors
        else next(iter(re.findall(r"[A-Za-z]{3,}", text)), "")
    )
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return f"{re.sub(r'[^A-Za-z]', '', plain) or 'source'}{reference.year or ''}"


def _unique(key: str, taken: set[str]) -> str:
    tried, number = key, 1
    while tried.lower() in taken:
        number += 1
        tried = f"{key}-{number}"
    return tried


def _built(key: str, text: str, reference: Reference) -> str:
    journal = re.fullmatch(r"(.+?) (\d+[A-Z]?), (\S+)", reference.journal)
    fields = {
        "author": reference.authors.replace("; et al.", "; others").replace("; ", " and "),
        "title": reference.title,
        "journal": journal[1] if journal else reference.journal,
        "volume": journal[2] if journal else "",
        "pages": journal[3] if journal else "",
        "year": str(reference.year or ""),
        "doi": reference.doi,
        "note": text,
    }
    article = reference.authors and reference.year and reference.journal
    lines = [
        f"  {name} = {{{value if name == 'doi' else value.translate(_ESCAPED)}}},"
        for name, value in fields.items()
        if value
    ]
    return "\n".join([f"@{'article' if article else 'misc'}{{{key},", *lines, "}"])
