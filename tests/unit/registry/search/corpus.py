"""An index of trials without a database: of the sample and small records written for a test, or of real records."""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from services.registry.model.trial import Origin, ScopeAnswer, Trial, TrialInput
from services.registry.sample.load import SAMPLE, documents
from services.registry.scope import judge
from services.registry.search.documents import CentreFacts, Documents, SiteFacts, TrialFacts
from services.registry.search.index import TrialIndex, View
from services.registry.sources.ctgov import read_study
from services.registry.sources.places import centre_rules
from services.registry.terminology.terminology import Terminology, builtin
from services.registry.trials.drafts import trial_of
from services.registry.trials.listing.filters import Caller
from services.registry.trials.listing.parameters import ListParameters
from services.registry.trials.listing.service import TrialSearch
from shared.vocabulary.identifiers import alias_of, trial_id

NOW = datetime(2026, 1, 1, tzinfo=UTC)
IN_SCOPE = ScopeAnswer(answer="in_scope", reasons=[])
CENTRES = {
    one["id"]: CentreFacts(*(one[name] for name in ("id", "name", "city", "departement", "region", "lat", "lon")))
    for one in json.loads((resources.files(SAMPLE) / "centres.json").read_text(encoding="utf-8"))
}
EVERYONE = Caller(all_rows=False, places=False)


class Corpus:
    """Trials with their index. ``of``: the identifiers that a search lists, in its order."""

    centres = CENTRES

    def __init__(self, drafts: Iterable[TrialInput], terminology: Terminology) -> None:
        self.trials = [
            trial_of(NOW, trial_id(number), draft, 1, None, IN_SCOPE, "published", Origin(source="test"))
            for number, draft in enumerate(drafts, 1)
        ]
        index, maker = TrialIndex(), Documents(terminology, CENTRES)
        index.put(maker.of(_facts(number, trial)) for number, trial in enumerate(self.trials, 1))
        index.commit()
        self.view: View = index.view
        self.search = TrialSearch(self, terminology, None)  # type: ignore[arg-type]

    def of(self, q: str, **more: Any) -> list[str]:
        asked = ListParameters(q=q, limit=200, **more)
        hits, after = [], None
        while True:
            found = self.search._page(self.view, asked, EVERYONE, after).hits
            hits += found[:200]
            if len(found) <= 200:
                return [self.trials[hit.number - 1].identifier for hit in hits]
            after = found[199].place


def _facts(number: int, trial: Trial) -> TrialFacts:
    sites = [SiteFacts(site.centre, site.status, 0, None) for site in trial.sites]
    aliases = [alias_of(one.value) for one in trial.identifiers]
    return TrialFacts(number, json.loads(trial.model_dump_json()), sites, aliases)


def small(written: Sequence[dict[str, Any]]) -> Corpus:
    """Return the sample's real trials with trials that a test writes."""
    sample = [TrialInput.model_validate(one) for one in documents("trials") if one["sample"] == "real"]
    return Corpus([*sample, *(TrialInput.model_validate_json(json.dumps(one)) for one in written)], builtin())


def real(folder: Path) -> Corpus:
    """Return the real records of advanced therapies that the scope gate accepts."""
    terminology = builtin()
    rules = centre_rules((one.id, one.name, one.city) for one in CENTRES.values())
    drafts = [
        read_study(json.loads(path.read_text(encoding="utf-8")), terminology, rules).trial
        for path in sorted(folder.glob("*.json"))
    ]
    return Corpus([draft for draft in drafts if judge(draft, terminology).answer == "in_scope"], terminology)


def with_words(trials: Iterable[Trial], pattern: str) -> set[str]:
    """Return the trials whose titles or conditions as written have a pattern."""
    wanted = re.compile(pattern, re.IGNORECASE)
    texts = {one.identifier: [one.titles.fr, one.titles.en, *(part.text for part in one.conditions)] for one in trials}
    return {identifier for identifier, found in texts.items() if wanted.search(" | ".join(filter(None, found)))}
