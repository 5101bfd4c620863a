"""Compiles releases of terminologies into the tables that the package ships.

    python -m services.registry.terminology.build FOLDER FILE...

Order matters where releases contradict each other: the first one counts. Licences: see the file NOTICE.
"""

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

from services.registry.terminology.compiled import write_tables
from services.registry.terminology.releases.compiling import compile_classes, cycles
from services.registry.terminology.releases.draft import Draft
from services.registry.terminology.releases.opening import read_release


class CyclicTablesError(ValueError):
    """A class is above itself."""


def build(folder: Path, releases: Sequence[Path]) -> list[str]:
    """Write the tables of the releases and a list of these into the folder; return what there is to report.

    :raises UnknownReleaseError: a file is none of the known releases.
    :raises CyclicTablesError: the releases contradict each other in a way that the compiler does not resolve.
    """
    draft = Draft()
    manifest = []
    for path in releases:
        kind, found = read_release(path)
        manifest.append(f"{path.name}\t{kind}\t{hashlib.sha256(path.read_bytes()).hexdigest()}\n")
        draft.extend(found)
    compiled = compile_classes(draft)
    if circular := cycles(compiled.classes):
        raise CyclicTablesError(", ".join(circular[:10]))
    files = {**write_tables(draft, compiled), "releases.tsv": "".join(manifest)}
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.tsv"):
        old.unlink()
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8", newline="\n")
    codes = sum(len(one.codes) for one in compiled.classes)
    left_out = [f"left out, {reason}: {count}" for reason, count in sorted(compiled.left_out.items())]
    return [
        f"{codes} codes in {len(compiled.classes)} classes, {sum(len(text.encode()) for text in files.values())} bytes",
        f"not a code: {draft.unreadable}",
        *left_out,
    ]


if __name__ == "__main__":
    for line in build(Path(sys.argv[1]), [Path(path) for path in sys.argv[2:]]):
        sys.stdout.write(f"{line}\n")
