"""The compiled tables: classes of codes, names and genes as sorted text, each file under 1 MiB."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import Final

from services.registry.terminology.releases.compiling import CodeClass, Compiled
from services.registry.terminology.releases.draft import Draft
from services.registry.terminology.releases.statements import write_statements
from shared.vocabulary.text import fold

LARGEST: Final = 1_000_000
"""The size of a file in bytes, at most."""
LANGUAGES: Final = ("en", "fr")
IN_TEXTS: Final = "+"
"""Marks the names that may stand for a disease in a text."""
MOST_NARROWER: Final = 100
TUMOURS: Final = frozenset({"MONDO:0045024", "MONDO:0023370", "MONDO:0005070", "ORPHA:250908"})
PACKAGE: Final = "services.registry.terminology"


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a class in one language, the preferred first."""

    label: str
    synonyms: tuple[str, ...] = ()

    @classmethod
    def read(cls, columns: str) -> "Names":
        label, synonyms, _ = columns.split("\t")
        return cls(label, tuple(synonyms.split("|")) if synonyms else ())

    @property
    def all(self) -> tuple[str, ...]:
        return (self.label, *self.synonyms)


NO_NAMES: Final = Names("")


class Tables:
    """The tables as they were read. Lines are kept as text until they are asked for.

    ``names``: by language and preferred code, the label and the synonyms as they stand in the line.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        """``files``: the contents by file name."""
        self._files = {name: files[name] for name in sorted(files)}
        self.digest = hashlib.sha256("".join(self._files.values()).encode()).digest() if files else b""
        self.names: dict[str, dict[str, str]] = {
            language: dict(line.split("\t", 1) for line in self._lines(f"names-{language}")) for language in LANGUAGES
        }

    def _lines(self, kind: str) -> Iterator[str]:
        """Yield the lines of a kind of files, which are needed once."""
        for name in [name for name in self._files if name.rpartition("-")[0] == kind]:
            yield from self._files.pop(name).splitlines()

    def classes(self) -> Iterator[CodeClass]:
        """Yield the classes of codes, once."""
        for line in self._lines("links"):
            codes, parents, coded = line.split("\t")
            yield CodeClass(tuple(codes.split(" ")), tuple(parents.split()), tuple(coded.split()))

    def add_names(self, draft: Draft) -> None:
        """Put the names of a loaded release before those of the tables. They do not map texts."""
        self.digest = hashlib.sha256(self.digest + write_statements(draft)).digest()
        for code, language in dict.fromkeys((*draft.labels, *draft.synonyms)):
            if language in self.names:
                before = self.names_of(code, language) or NO_NAMES
                label = draft.labels.get((code, language), before.label)
                names = (*draft.synonyms.get((code, language), ()), *before.all)
                synonyms = dict.fromkeys(name for name in names if name and name != label)
                self.names[language][code] = f"{label}\t{'|'.join(synonyms)}\t"

    def text_names(self) -> Iterator[tuple[str, str]]:
        """Yield the names that may stand for a disease in a text, each with the preferred code."""
        for code, columns in self.names["en"].items():
            if columns.endswith(IN_TEXTS):
                yield from ((name, code) for name in Names.read(columns).all)

    def names_of(self, code: str, language: str) -> Names | None:
        """Return the names of a class by its preferred code."""
        columns = self.names[language].get(code)
        return None if columns is None else Names.read(columns)

    @cached_property
    def genes(self) -> dict[str, tuple[str, ...]]:
        """The codes of the diseases that variants of a gene cause, by symbol."""
        rows = (line.split("\t") for line in self._lines("genes"))
        return {symbol: tuple(codes.split(" ")) for symbol, _, codes in rows}


def read_tables() -> Tables:
    """Read the tables of this package."""
    folder = resources.files(PACKAGE) / "compiled_tables"
    return Tables({entry.name: entry.read_text(encoding="utf-8") for entry in folder.iterdir()})


def write_tables(draft: Draft, compiled: Compiled) -> dict[str, str]:
    """Return the contents of the files by name: the same statements always give the same bytes."""
    links = ["\t".join(" ".join(codes) for codes in (one.codes, one.parents, one.coded)) for one in compiled.classes]
    files = dict(_split("links", links))
    in_texts = _in_texts(compiled.classes)
    for language in LANGUAGES:
        lines = (_names_line(draft, one, language, in_texts) for one in compiled.classes)
        files |= dict(_split(f"names-{language}", filter(None, lines)))
    genes = [f"{symbol}\t{name}\t{' '.join(sorted(codes))}" for symbol, (name, codes) in sorted(draft.genes.items())]
    return files | dict(_split("genes", genes))


def _names_line(draft: Draft, one: CodeClass, language: str, in_texts: Collection[str]) -> str | None:
    """Return the names of all codes of a class, each once whatever its case and accents; None without any."""
    names: dict[str, str] = {}
    for code in one.codes:
        label = draft.labels.get((code, language))
        for name in (*([label] if label else []), *draft.synonyms.get((code, language), ())):
            names.setdefault(fold(name), name)
    if not names:
        return None
    label, *synonyms = names.values()
    mark = IN_TEXTS if one.codes[0] in in_texts else ""
    return f"{one.codes[0]}\t{label}\t{'|'.join(synonyms)}\t{mark}"


def _in_texts(classes: Sequence[CodeClass]) -> set[str]:
    """Return the preferred codes of the diseases that a text may name by a name of the tables.

    Very general diseases are none, and neither are tumours: what a trial of a tumour is about, the scope rules decide.
    """
    parents = {code: one.parents for one in classes for code in one.codes}
    above: dict[str, set[str]] = {}
    for one in classes:
        found = list(one.parents)
        for code in found:
            found += [parent for parent in parents[code] if parent not in found]
        above[one.codes[0]] = set(found)
    narrower = Counter(code for codes in above.values() for code in codes)
    tumours = {one.codes[0] for one in classes if not TUMOURS.isdisjoint(one.codes)}
    return {
        code
        for code, codes in above.items()
        if code.startswith(("ORPHA:", "MONDO:"))
        and narrower[code] <= MOST_NARROWER
        and tumours.isdisjoint(codes | {code})
    }


def _split(kind: str, lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    number, size, part = 1, 0, list[str]()
    for line in lines:
        length = len(line.encode()) + 1
        if size + length > LARGEST:
            yield f"{kind}-{number:02}.tsv", "".join(part)
            number, size, part = number + 1, 0, []
        size += length
        part.append(line + "\n")
    yield f"{kind}-{number:02}.tsv", "".join(part)
