"""The readers of the sources that can be imported, by the name of the source."""

from collections.abc import Mapping
from typing import Final

from services.registry.sources.ctgov_reader import CtgovReader
from services.registry.sources.partner.reader import PartnerReader, is_partner
from services.registry.sources.reader import SourceReader
from services.registry.sources.registers.cleio import PREFIX, CleioReader
from services.registry.sources.registers.ctis import CtisReader
from services.registry.sources.registers.eclaire import EclaireReader
from services.registry.sources.registers.euctr import EuctrReader
from services.registry.sources.registers.isrctn import IsrctnReader
from services.registry.sources.registers.sponsor import SPONSOR, SponsorReader

READERS: Final[Mapping[str, SourceReader]] = {
    one.source: one for one in (CtgovReader(), CtisReader(), EuctrReader(), IsrctnReader(), EclaireReader())
}


def reader_of(source: str) -> SourceReader | None:
    """Return the reader of a source; None: there is none.

    Beside the public registers: a partner network (``partner:<organisation>``), an installation (``cleio:<name>``), or
    the published dossiers of sponsors (``sponsor``).
    """
    if source == SPONSOR:
        return SponsorReader()
    if source.startswith(PREFIX):
        return CleioReader(source)
    return PartnerReader(source) if is_partner(source) else READERS.get(source)
