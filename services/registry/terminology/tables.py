"""The compiled tables: classes of codes, names and genes as sorted text, each file under 1 MiB."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import Final

from services.registry.terminology.releases.compiling import CodeClass, Compiled
from services.registry.terminology.releases.draft import Draft
from shared.vocabulary.text import fold

LARGEST: Final = 1_000_000
"""The size of a file in bytes, at most."""
LANGUAGES: Final = ("en", "fr")
PACKAGE: Final = "services.registry.terminology"


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a class in one language, the preferred first."""

    label: str
    synonyms: tuple[str, ...] = ()

    @classmethod
    def read(cls, columns: str) -> "Names":
        label, _, synonyms = columns.partition("\t")
        return cls(label, tuple(synonyms.split("|")) if synonyms else ())


class Tables:
    """The tables as they were read. Lines are kept as text until they are asked for.

    ``names``: by language and preferred code, the label and the synonyms as they stand in the line.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        """``files``: the contents by file name."""
        self._lines = {
            kind: [line for name in sorted(files) if _kind(name) == kind for line in files[name].splitlines()]
            for kind in ("links", "genes", *(f"names-{language}" for language in LANGUAGES))
        }
        self.names: Mapping[str, Mapping[str, str]] = {
            language: dict(line.split("\t", 1) for line in self._lines[f"names-{language}"]) for language in LANGUAGES
        }

    def classes(self) -> Iterator[CodeClass]:
        """Yield the classes of codes."""
        for line in self._lines["links"]:
            codes, parents, coded = line.split("\t")
            yield CodeClass(tuple(codes.split(" ")), tuple(parents.split()), tuple(coded.split()))

    def names_of(self, code: str, language: str) -> Names | None:
        """Return the names of a class by its preferred code."""
        columns = self.names[language].get(code)
        return None if columns is None else Names.read(columns)

    @cached_property
    def genes(self) -> dict[str, tuple[str, ...]]:
        """The codes of the diseases that variants of a gene cause, by symbol."""
        rows = (line.split("\t") for line in self._lines["genes"])
        return {symbol: tuple(codes.split(" ")) for symbol, _, codes in rows}


def read_tables() -> Tables:
    """Read the tables of this package."""
    folder = resources.files(PACKAGE) / "tables"
    return Tables({entry.name: entry.read_text(encoding="utf-8") for entry in folder.iterdir()})


def write_tables(draft: Draft, compiled: Compiled) -> dict[str, str]:
    """Return the contents of the files by name: the same statements always give the same bytes."""
    links = ["\t".join(" ".join(codes) for codes in (one.codes, one.parents, one.coded)) for one in compiled.classes]
    files = dict(_split("links", links))
    for language in LANGUAGES:
        lines = [line for one in compiled.classes if (line := _names_line(draft, one, language)) is not None]
        files |= dict(_split(f"names-{language}", lines))
    genes = [f"{symbol}\t{name}\t{' '.join(sorted(codes))}" for symbol, (name, codes) in sorted(draft.genes.items())]
    return files | dict(_split("genes", genes))


def _names_line(draft: Draft, one: CodeClass, language: str) -> str | None:
    """Return the names of all codes of a class, each once whatever its case and accents."""
    names: dict[str, str] = {}
    for code in one.codes:
        label = draft.labels.get((code, language))
        for name in (*([label] if label else []), *draft.synonyms.get((code, language), ())):
            names.setdefault(fold(name), name)
    if not names:
        return None
    label, *synonyms = names.values()
    return f"{one.codes[0]}\t{label}\t{'|'.join(synonyms)}"


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


def _kind(file: str) -> str:
    return file.rpartition("-")[0]
