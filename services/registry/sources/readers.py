"""The readers of the sources that can be imported, by the name of the source."""

from collections.abc import Mapping
from typing import Final

from services.registry.sources.ctgov_reader import CtgovReader
from services.registry.sources.reader import SourceReader

READERS: Final[Mapping[str, SourceReader]] = {one.source: one for one in (CtgovReader(),)}
