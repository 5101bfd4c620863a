"""What the registry adds to criteria: the text they were written from, and who may sign them. Pure."""

import hashlib
import json

from services.registry.model.criteria_head import CriteriaHead
from services.registry.model.trial import Eligibility, Trial
from shared.criteria.model import CriteriaDocument
from shared.values.problems import Fault
from shared.values.wire import Label

_NO_RPPS = Label(
    fr="Le signataire est un médecin : donner son numéro RPPS (11 chiffres)",
    en="The signer is a physician: give the RPPS number (11 digits)",
)
_NO_PROTOCOL = Label(
    fr="Nommer la version du protocole, par exemple « protocole 4.0 »",
    en="Name the version of the protocol, for example protocol 4.0",
)
_INVENTED = Label(
    fr="Seul un essai fictif peut avoir des critères signés par des personnes inventées",
    en="Only a fictitious trial may have criteria signed by invented people",
)


def source_hash(eligibility: Eligibility) -> str | None:
    """Return a hash (SHA-256, hexadecimal) of a source's eligibility; None where the source gives none.

    Line ends and spaces do not count.
    """
    if eligibility.text is None and eligibility.minimum_age is None and eligibility.maximum_age is None:
        return None
    text = " ".join(eligibility.text.split()) if eligibility.text is not None else None
    content = [text, eligibility.minimum_age, eligibility.maximum_age, eligibility.sex]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


def in_force(document: CriteriaDocument, version: int, written_from: str | None) -> CriteriaDocument:
    """Return the document with what the registry sets. ``written_from``: the hash of the source's eligibility."""
    return document.model_copy(update={"version": version, "source_hash": written_from})


def head_of(document: CriteriaDocument) -> CriteriaHead:
    """Return what a trial says of its criteria in force."""
    return CriteriaHead(
        version=document.version or 1,
        grade=document.grade,
        illustrative=document.illustrative,
        source_hash=document.source_hash,
    )


def faults_of_signature(document: CriteriaDocument, *, fictitious: bool) -> list[Fault]:
    """Return what a signature lacks: the RPPS number of a physician, and the version of the protocol.

    ``fictitious``: the trial is a demonstration, whose signers may be invented people.
    """
    if document.grade != "signed" or (document.illustrative and fictitious):
        return []
    faults = []
    if document.illustrative:
        faults.append(Fault(pointer="/illustrative", code="signer_invented", detail=_INVENTED))
    if document.signed_by_rpps is None:
        faults.append(Fault(pointer="/signed_by_rpps", code="signer_unverified", detail=_NO_RPPS))
    if document.source_version is None:
        faults.append(Fault(pointer="/source_version", code="protocol_version_missing", detail=_NO_PROTOCOL))
    return faults


def compared(head: CriteriaHead | None, was: Eligibility, now: Eligibility) -> CriteriaHead | None:
    """Return the head of signed criteria, marked as outdated if the source's eligibility is no longer the same.

    ``was``, ``now``: the eligibility before and after a change. Criteria that were signed where the source gave none
    are outdated as soon as it gives one. A text that becomes again what it was confirms them.
    """
    if head is None or head.grade != "signed":
        return head
    present = source_hash(now)
    signed_from = head.source_hash if head.source_hash is not None else source_hash(was)
    outdated = present != signed_from or (head.source_hash is None and head.outdated)
    return head.model_copy(update={"outdated": outdated})


def is_outdated(trial: Trial) -> bool:
    """Return whether the signed criteria of a trial are older than the text that they were written from."""
    return trial.criteria is not None and trial.criteria.outdated
