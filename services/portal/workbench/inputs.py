"""The fields of a form that a wanted fact needs: a choice, a number with its unit, days. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.portal.pages.codes import WORDS
from services.portal.pages.formats import Formats
from services.portal.workbench.view import duration_in_words, unit_in_words
from shared.criteria.scales import SCALES
from shared.values.wire import Label

Wanted = Mapping[str, Any]
Names = Mapping[str, Mapping[str, str]]
Options = Sequence[tuple[str, str]]
MOST_OPTIONS = 20
ATTRIBUTES = ("outcome", "body_site", "severity")


@dataclass(frozen=True, slots=True)
class Input:
    """A field of a form. ``options``: of a choice; empty: a text. ``hint``: the form that is wanted."""

    name: str
    label: str
    options: Options = ()
    value: str = ""
    numeric: bool = False
    is_check: bool = False
    hint: str = ""


_TEXTS = {
    "presence": Label(fr="Réponse", en="Answer"),
    "answer": Label(fr="Réponse", en="Answer"),
    "code": Label(fr="Lequel", en="Which one"),
    "date": Label(fr="Date du constat", en="Date of the finding"),
    "dates": Label(fr="Dates des épisodes", en="Dates of the episodes"),
    "first": Label(fr="Premier jour", en="First day"),
    "start": Label(fr="Depuis le", en="Since"),
    "end": Label(fr="Jusqu'au", en="Until"),
    "value": Label(fr="Valeur", en="Value"),
    "dose": Label(fr="Dose", en="Dose"),
    "level": Label(fr="Niveau", en="Level"),
    "unit": Label(fr="Unité", en="Unit"),
    "ref_high": Label(fr="Limite supérieure du laboratoire", en="Upper limit of the laboratory"),
    "ref_low": Label(fr="Limite inférieure du laboratoire", en="Lower limit of the laboratory"),
    "earlier-value": Label(fr="Mesure antérieure", en="Earlier measurement"),
    "earlier-date": Label(fr="Date de la mesure antérieure", en="Date of the earlier measurement"),
    "outcome": Label(fr="Issue", en="Outcome"),
    "body_site": Label(fr="Localisation", en="Site on the body"),
    "severity": Label(fr="Gravité", en="Severity"),
    "type": Label(fr="Type de variant", en="Type of variant"),
    "exon_from": Label(fr="Premier exon", en="First exon"),
    "exon_to": Label(fr="Dernier exon", en="Last exon"),
    "zygosity": Label(fr="Zygotie", en="Zygosity"),
    "frame": Label(fr="Cadre de lecture", en="Reading frame"),
    "copies": Label(fr="Nombre de copies", en="Number of copies"),
    "hgvs": Label(fr="Expression HGVS", en="HGVS expression"),
}
_DAY = Label(fr="JJ/MM/AAAA ou AAAA-MM-JJ", en="YYYY-MM-DD")
_HINTS = {
    "dates": Label(fr="JJ/MM/AAAA, séparées par des espaces", en="YYYY-MM-DD, separated by spaces"),
    "end": Label(fr="vide : en cours", en="empty: ongoing"),
    "gestation": Label(fr="semaines + jours, p. ex. 30+4", en="weeks + days, such as 30+4"),
    "hgvs": Label(fr="p. ex. NM_004006.3:c.…", en="such as NM_004006.3:c.…"),
}
_COMPLETE = Label(fr="Tout ce qui est de cette nature est dans le dossier", en="All of this nature is in the record")
_OTHER = Label(fr="autre", en="other")
_YES_NO = (("yes", Label(fr="Oui", en="Yes")), ("no", Label(fr="Non", en="No")))
_PRESENCE = (("present", Label(fr="Oui", en="Yes")), ("absent", Label(fr="Non", en="No")))


def inputs_of(wanted: Wanted, prefix: str, as_of: str, names: Names, formats: Formats) -> list[Input]:
    """Return the fields that a wanted fact needs; their names begin with ``prefix``. ``as_of``: the day proposed."""
    return _Fields(wanted, prefix, as_of, names, formats).inputs()


@dataclass(frozen=True, slots=True)
class _Fields:
    """Makes the fields of one wanted fact."""

    wanted: Wanted
    prefix: str
    as_of: str
    names: Names
    formats: Formats

    def inputs(self) -> list[Input]:
        wanted = self.wanted
        if wanted["field"]:
            return [self._of_patient(wanted["field"])]
        if wanted["kind"] == "answer":
            return [self._choice("answer", self._options(_YES_NO))]
        if wanted["variant"]:
            return self._of_variant(wanted["variant"])
        if wanted["value"] == "occurrences":
            return [*self._codes(), self._text("dates"), *self._complete()]
        presence = [self._choice("presence", self._options(_PRESENCE))] if "absent" in wanted["statuses"] else []
        return [*presence, *self._codes(), *self._attributes(), *self._value(), *self._days()]

    def _of_patient(self, field: str) -> Input:
        label = self.formats.word("patient_field", field)
        if field == "sex":
            codes = self.wanted["values"] or WORDS["patient_sex"]
            return Input(self.prefix + field, label, [(one, self.formats.word("patient_sex", one)) for one in codes])
        return Input(self.prefix + field, label, hint=self.formats.label(_HINTS.get(field, _DAY)))

    def _of_variant(self, shape: Mapping[str, Any]) -> list[Input]:
        # Those that are asked for come first; a report may say another one.
        types = dict.fromkeys([*(shape["types"] or ()), *WORDS["variant_type"]])
        return [
            self._choice("presence", self._options(_PRESENCE)),
            self._coded("type", "variant_type", types),
            *(self._numbers("exon_from", "exon_to") if shape["exons"] or shape["amenable_to"] else ()),
            self._coded("zygosity", "zygosity", WORDS["zygosity"]),
            *([self._coded("frame", "frame", WORDS["frame"])] if shape["frame"] or shape["amenable_to"] else ()),
            *(self._numbers("copies") if shape["copies"] else ()),
            *([self._text("hgvs")] if shape["hgvs"] else ()),
            self._text("date", self.as_of),
        ]

    def _codes(self) -> list[Input]:
        codes = self.wanted["codes"][:MOST_OPTIONS]
        if len(codes) < 2:
            return []
        return [self._choice("code", [(one, self.formats.label(self.names.get(one)) or one) for one in codes])]

    def _attributes(self) -> list[Input]:
        asked = self.wanted["attributes"] or {}
        other = ("other", self.formats.label(_OTHER))
        return [
            self._choice(name, [*((one, self.formats.word(name, one)) for one in asked[name]), other])
            for name in ATTRIBUTES
            if asked.get(name)
        ]

    def _value(self) -> list[Input]:
        wanted, kind = self.wanted, self.wanted["value"]
        if kind == "level":
            return [self._level()]
        if kind not in {"number", "dose"}:
            return []
        per_kg = "/kg" if wanted["per_kg"] else ""
        assay = f" ({wanted['assay']})" if wanted["assay"] else ""
        name = "dose" if kind == "dose" else "value"
        label = f"{self.formats.label(_TEXTS[name])}{per_kg}{assay}"
        found = [Input(f"{self.prefix}value", label, numeric=True), *self._unit()]
        if wanted["reference_range"]:
            found += self._numbers("ref_high", "ref_low")
        if wanted["over"]:
            found += [*self._numbers("earlier-value"), self._text("earlier-date", hint=self._at_most(wanted["over"]))]
        return found

    def _level(self) -> Input:
        levels = self.wanted["values"]
        if not levels:
            return self._text("value")
        scale = SCALES.get(self.wanted["codes"][0]) if self.wanted["codes"] else None
        words = {one.code: getattr(one, self.formats.language) for one in scale.levels} if scale else {}
        options = [(one, f"{one} – {words[one]}" if words.get(one, one) != one else one) for one in levels]
        return Input(f"{self.prefix}value", self.formats.label(_TEXTS["level"]), options)

    def _unit(self) -> list[Input]:
        """Return the field of the unit: proposed where the criteria have one; none where the value has none."""
        unit = self.wanted["unit"]
        if unit is None and (self.wanted["reference_range"] or not self.wanted["codes"][0].startswith("LOINC:")):
            return []
        words = unit_in_words(unit, self.formats)
        return [] if unit is not None and not words else [self._text("unit", words)]

    def _days(self) -> list[Input]:
        wanted = self.wanted
        if wanted["value"] == "first_day":
            return [self._text("start", label="first")]
        if wanted["value"] == "last_day" or wanted["duration"] or wanted["kind"] == "medication":
            unchanged = self._at_least(wanted["duration"]) if wanted["duration"] else ""
            return [self._text("start", hint=unchanged), self._text("end")]
        return [self._text("date", self.as_of)]

    def _complete(self) -> list[Input]:
        domain = self.wanted["domain"]
        if not domain:
            return []
        label = f"{self.formats.label(_COMPLETE)} ({self.formats.word('domain', domain)})"
        return [Input(f"{self.prefix}complete", label, is_check=True)]

    def _text(self, name: str, value: str = "", *, label: str = "", hint: str = "") -> Input:
        text = self.formats.label(_TEXTS[label or name])
        usual = _HINTS.get(name, _DAY if name in {"date", "start", "earlier-date"} else None)
        wanted = ", ".join(one for one in (self.formats.label(usual) if usual else "", hint) if one)
        return Input(self.prefix + name, text, value=value, hint=wanted)

    def _numbers(self, *names: str) -> list[Input]:
        return [Input(self.prefix + name, self.formats.label(_TEXTS[name]), numeric=True) for name in names]

    def _choice(self, name: str, options: Options) -> Input:
        return Input(self.prefix + name, self.formats.label(_TEXTS[name]), options)

    def _coded(self, name: str, group: str, codes: Mapping[str, Any]) -> Input:
        return self._choice(name, [(one, self.formats.word(group, one)) for one in codes])

    def _options(self, labels: Sequence[tuple[str, Label]]) -> Options:
        return [(code, self.formats.label(label)) for code, label in labels]

    def _at_most(self, duration: str) -> str:
        words = duration_in_words(duration, self.formats)
        return f"au plus {words} avant" if self.formats.language == "fr" else f"at most {words} before"

    def _at_least(self, duration: str) -> str:
        words = duration_in_words(duration, self.formats)
        at_least = "inchangé depuis au moins" if self.formats.language == "fr" else "unchanged for at least"
        return f"{at_least} {words}"
