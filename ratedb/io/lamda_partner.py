"""Find the collider that a partner line of a LAMDA file names, and clean up the name of its molecule."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ratedb.systems import COLLIDERS

COLLIDER_OF_ID = dict(enumerate(COLLIDERS, start=1))
"""The collider of each LAMDA id 1..7."""

ID_OF_COLLIDER = {collider: number for number, collider in COLLIDER_OF_ID.items()}
"""The LAMDA id of each collider."""


@dataclass(frozen=True)
class Partner:
    """What a partner line says: its collider (None where it cannot be told), the rest as reference.

    `warning` is a sentence where id and text do not agree, and empty otherwise.
    """

    collider: str | None
    reference: str
    warning: str = ""


# Left: not inside a formula such as CH2 or o-C3H2. Right: not the start of one such as H2O; a + may
# follow only as a separator (`H2+CO`), because H2+ is another partner.
_LEFT = r"(?<![A-Za-z0-9])"
_RIGHT = r"(?![A-Za-z0-9]|\+(?![A-Za-z]))"
_HYDROGEN = r"(?:H2|[Hh]ydrogen|H_2)"
_SPIN_WORD = r"(?:[Oo]rtho[\s_-]?|[Pp]ara[\s_-]?|[op][\s_-]?)?"
_SPECIES = (
    ("p", rf"(?:[Pp]ara[\s_-]?|p[\s_-]?|P[_-]){_HYDROGEN}{_RIGHT}"),
    ("p", r"H2\s*\(\s*(?:para|p|[jJ]\s*=\s*0)\s*\)|H2[\s_-]para\b"),
    ("o", rf"(?:[Oo]rtho[\s_-]?|o[\s_-]?|O[_-]){_HYDROGEN}{_RIGHT}"),
    ("o", r"H2\s*\(\s*(?:ortho|o|[jJ]\s*=\s*1)\s*\)|H2[\s_-]ortho\b"),
    ("h2", rf"H2{_RIGHT}|H_2{_RIGHT}|[Mm]olecular hydrogen\b"),
    ("e", r"(?i:electrons?)\b|(?<!\.)e\^?-?(?![A-Za-z0-9.])"),
    ("he", r"(?:He|HE|[Hh]elium)(?![A-Za-z0-9+])"),
    ("hplus", r"H\+(?![A-Za-z0-9])|(?i:protons?)\b"),
    ("h", r"H(?![A-Za-z0-9.+])|H(?=\+[A-Za-z])|(?:[Aa]tomic )?[Hh]ydrogen(?: atoms?)?\b"),
    ("other", _SPIN_WORD + r"(?:H2O|HDO|D2O|CO2|CO|N2|O2|NH3|CH4|HD|D2)(?![A-Za-z0-9+])"),
    ("other", r"(?:Ar|Ne|Kr|Xe|D)(?![A-Za-z0-9.+])|[HD][23]\+(?![A-Za-z])"),
)
_MENTION = re.compile(
    _LEFT + "(?:" + "|".join(f"(?P<{kind}_{i}>{text})" for i, (kind, text) in enumerate(_SPECIES)) + ")"
)
_COLLIDER_OF_KIND = {"p": "p-H2", "o": "o-H2", "h2": "H2", "e": "e", "he": "He", "hplus": "H+", "h": "H"}

# Behind these words a line speaks about its source, where other species may be named.
_SOURCE = re.compile(r"!|\b(?:from|rates?|scaled|obtained|assuming|based|data|cf)\b", re.IGNORECASE)
_SCALED = re.compile(r"\bscaled?\b|\b1\.(?:3[5-9]|4)\d*\b", re.IGNORECASE)
_ID = re.compile(r"\s*(\d{1,3})(?:[\s:,.)]+|$)")
_CANONICAL = re.compile(r"\S+ \+ (\S+)(?:\s+(.*))?")


def read_partner(line: str, molecule: str) -> Partner:
    """Return the partner that a partner line such as `2 CO-pH2 from Yang et al. (2010)` means.

    The text decides; the id decides where the text names no partner or both para and ortho, and where it
    only adds what the text leaves open (id 2 with `H2`, or id 1 with He rates scaled to H2).
    """
    match = _ID.match(line)
    by_id = COLLIDER_OF_ID.get(int(match[1])) if match else None
    text = (line[match.end() :] if match else line).strip().strip("'\"").strip()
    own = _CANONICAL.fullmatch(text)
    if own and by_id is not None and own[1] == by_id:
        return Partner(by_id, (own[2] or "").lstrip("! "))
    named = _named(text, molecule)
    if named is None or by_id is None or named == by_id:
        return Partner(named or by_id, text)
    if named == "H2" and by_id in ("p-H2", "o-H2"):
        return Partner(
            by_id, text, f"`{line.strip()}` says H2 by its text; its id says {by_id}, which is taken"
        )
    if named == "He" and by_id in ("H2", "p-H2", "o-H2") and _SCALED.search(text):
        return Partner(by_id, text, f"`{line.strip()}` is taken as {by_id}: He rates scaled to it, by its id")
    return Partner(
        named, text, f"`{line.strip()}` says {named} by its text and {by_id} by its id; the text is taken"
    )


def _named(text: str, molecule: str) -> str | None:
    """Return the collider that a text names, None where it names none or both para and ortho."""
    for part in (_SOURCE.split(text, maxsplit=1)[0], text):
        kinds = _kinds(part, molecule)
        if kinds:
            return _first_partner([kind for kind in kinds if kind in _COLLIDER_OF_KIND] or kinds)
    return None


def _kinds(text: str, molecule: str) -> list[str]:
    """Return the kinds of species that a text mentions, in order, less one mention of the molecule itself.

    The kind of a species that LAMDA has no id for is its name, such as p-H2O.
    """
    found = []
    for match in _MENTION.finditer(text):
        kind, name = str(match.lastgroup).split("_")[0], re.sub(r"[\s_]", "-", match[0])
        found.append((_spin_name(name) if kind == "other" else kind, name))
    for position, (kind, name) in enumerate(found):
        if _COLLIDER_OF_KIND.get(kind) == molecule or _plain(name) == _plain(molecule):
            return [kind for kind, _ in found[:position] + found[position + 1 :]]
    return [kind for kind, _ in found]


def _spin_name(name: str) -> str:
    """Return a name such as `para-H2O` as p-H2O."""
    return re.sub(r"^(?:([Oo])rtho|([Pp])ara|([op]))-?(?=[A-Z])", lambda m: f"{m[0][0].lower()}-", name)


def _plain(name: str) -> str:
    return re.sub(r"^(?:ortho|para|[op])-?(?=[A-Z])", "", name)


def _first_partner(kinds: list[str]) -> str | None:
    if {"p", "o"} <= set(kinds):
        return None
    if kinds[0] == "h2":  # `H2 = HCN-pH2`: the more exact word takes precedence
        kinds = [kind for kind in kinds if kind in ("p", "o")] or kinds
    return _COLLIDER_OF_KIND.get(kinds[0], kinds[0])


def clean_molecule(name_line: str) -> str:
    """Return the molecule's name from a name line: its first word, `o-H2CO` also from `ortho H2CO`.

    Empty where the line has no word with a letter in it.
    """
    words = [word for word in re.split(r"[\s\"'`,;:!]+", name_line) if word]
    if len(words) > 1 and words[0].lower() in ("ortho", "para", "o", "p") and words[1][:1].isupper():
        words = [f"{words[0][0].lower()}-{words[1]}"]
    name = re.sub(r"[^A-Za-z0-9+()\[\]._-]", "", words[0]) if words else ""
    return name if re.search(r"[A-Za-z]", name) else ""
