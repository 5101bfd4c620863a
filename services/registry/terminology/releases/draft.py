"""What releases say: names and links between codes, as statements in their order."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.terminology.codes import read_code


@dataclass(slots=True)
class Draft:
    """The statements of one or several releases. Codes are canonical; what is not a code is counted and left out.

    ``labels`` and ``synonyms``: by code and language (``en``, ``fr``). ``same``: pairs of codes for one thing, the more
    trusted first. ``replaced``: former codes with the present one. ``broader``: pairs of a code and a more general one.
    ``genes``: by symbol, the name and the codes of diseases that variants of the gene cause.
    """

    labels: dict[tuple[str, str], str] = field(default_factory=dict)
    synonyms: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    same: list[tuple[str, str]] = field(default_factory=list)
    replaced: list[tuple[str, str]] = field(default_factory=list)
    broader: list[tuple[str, str]] = field(default_factory=list)
    genes: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    unreadable: int = 0

    def name(self, code: str, language: str, label: str, synonyms: Iterable[str] = ()) -> None:
        """Add names of a code. The first label stays; later ones become synonyms. ``label``: empty for none."""
        key = (code, language)
        cleaned = (" ".join(name.split()) for name in (label, *synonyms))
        names = list(dict.fromkeys(name for name in cleaned if name and "|" not in name))
        first = self.labels.setdefault(key, names[0]) if label and names else self.labels.get(key)
        known = self.synonyms.get(key, [])
        if others := [name for name in names if name != first and name not in known]:
            self.synonyms[key] = known + others

    def add(self, links: list[tuple[str, str]], code: str, other: str) -> None:
        """Add a link between two codes in any spelling to one of the lists above."""
        one, two = read_code(code), read_code(other)
        if one is None or two is None:
            self.unreadable += 1
        elif one != two:
            links.append((one, two))

    def extend(self, other: "Draft") -> None:
        """Add all statements of another draft after these."""
        for key in dict.fromkeys((*other.labels, *other.synonyms)):
            self.name(*key, other.labels.get(key, ""), other.synonyms.get(key, ()))
        self.same += other.same
        self.replaced += other.replaced
        self.broader += other.broader
        for symbol, (name, codes) in other.genes.items():
            known = self.genes.setdefault(symbol, (name, []))[1]
            known += [code for code in codes if code not in known]
        self.unreadable += other.unreadable

    @property
    def codes(self) -> set[str]:
        """All codes that are named or linked."""
        linked = {code for links in (self.same, self.replaced, self.broader) for pair in links for code in pair}
        return linked | {code for code, _ in (*self.labels, *self.synonyms)}
