"""Ordinal scales of `ordinal` leaves: levels from lowest to highest, and groups of several levels."""

from collections.abc import Mapping
from typing import NamedTuple

from shared.values.wire import Label


class Level(NamedTuple):
    """One step of a scale, in both languages."""

    code: str
    fr: str
    en: str


class Scale(NamedTuple):
    """A scale: its levels in order and its groups, such as ``II`` for ``IIa`` and ``IIb``."""

    code: str
    label: Label
    levels: tuple[Level, ...]
    groups: Mapping[str, tuple[str, ...]]

    def expand(self, level: str) -> frozenset[str]:
        """Return the levels of a level or group; empty if the scale has neither."""
        if level in self.groups:
            return frozenset(self.groups[level])
        return frozenset(known.code for known in self.levels if known.code == level)

    def between(self, lowest: str | None, highest: str | None) -> frozenset[str]:
        """Return the levels from ``lowest`` to ``highest``, both included (None: no bound).

        A group counts with all its levels.
        """
        order = [level.code for level in self.levels]
        start = min((order.index(code) for code in self.expand(lowest)), default=len(order)) if lowest else 0
        end = max((order.index(code) for code in self.expand(highest)), default=-1) if highest else len(order) - 1
        return frozenset(order[start : end + 1])


def _scale(
    code: str,
    fr: str,
    en: str,
    levels: tuple[tuple[str, str, str], ...],
    groups: Mapping[str, tuple[str, ...]] | None = None,
) -> Scale:
    return Scale(code, Label(fr=fr, en=en), tuple(Level(*level) for level in levels), groups or {})


_MGFA_ROMAN = ("I", "IIa", "IIb", "IIIa", "IIIb", "IVa", "IVb", "V")
_MGFA_LEVELS = (
    ("I", "faiblesse oculaire seule", "ocular weakness only"),
    ("IIa", "faiblesse légère, membres ou axe", "mild weakness, limbs or axial"),
    ("IIb", "faiblesse légère, oropharynx ou respiration", "mild weakness, oropharyngeal or respiratory"),
    ("IIIa", "faiblesse modérée, membres ou axe", "moderate weakness, limbs or axial"),
    ("IIIb", "faiblesse modérée, oropharynx ou respiration", "moderate weakness, oropharyngeal or respiratory"),
    ("IVa", "faiblesse sévère, membres ou axe", "severe weakness, limbs or axial"),
    ("IVb", "faiblesse sévère, oropharynx ou respiration", "severe weakness, oropharyngeal or respiratory"),
    ("V", "intubation", "intubation"),
)
_ARABIC = {"I": "1", "II": "2", "III": "3", "IV": "4", "V": "5"}


def _mgfa_groups() -> dict[str, tuple[str, ...]]:
    """Return classes without their letter, and their spellings with Arabic numerals."""
    groups = {roman: tuple(level for level in _MGFA_ROMAN if level.rstrip("ab") == roman) for roman in _ARABIC}
    arabic = {_ARABIC[level.rstrip("ab")] + level[len(level.rstrip("ab")) :]: (level,) for level in _MGFA_ROMAN}
    return (
        {roman: levels for roman, levels in groups.items() if len(levels) > 1}
        | {_ARABIC[r]: levels for r, levels in groups.items()}
        | arabic
    )


SCALES: Mapping[str, Scale] = {
    scale.code: scale
    for scale in (
        _scale(
            "CLEIO:mgfa",
            "classification MGFA de la myasthénie",
            "MGFA class of myasthenia gravis",
            _MGFA_LEVELS,
            _mgfa_groups(),
        ),
        _scale(
            "CLEIO:ambulatory-status",
            "autonomie de marche",
            "ambulatory status",
            (
                ("non_ambulatory", "ne marche pas", "does not walk"),
                ("assisted", "marche avec aide", "walks with assistance"),
                ("independent", "marche seul", "walks alone"),
            ),
            {"ambulatory": ("assisted", "independent")},
        ),
        _scale(
            "CLEIO:nyha",
            "classe fonctionnelle NYHA",
            "NYHA functional class",
            (
                ("I", "sans limitation", "no limitation"),
                ("II", "limitation légère", "slight limitation"),
                ("III", "limitation marquée", "marked limitation"),
                ("IV", "symptômes au repos", "symptoms at rest"),
            ),
        ),
        _scale(
            "CLEIO:ecog",
            "indice de performance ECOG",
            "ECOG performance status",
            (
                ("0", "activité normale", "fully active"),
                ("1", "activité physique réduite", "restricted in strenuous activity"),
                ("2", "debout plus de la moitié du jour", "up more than half of the day"),
                ("3", "alité plus de la moitié du jour", "in bed more than half of the day"),
                ("4", "alité en permanence", "in bed all day"),
            ),
        ),
        _scale(
            "CLEIO:huriez",
            "sévérité cutanée selon Huriez",
            "Huriez skin severity",
            (
                ("none", "absente", "none"),
                ("mild", "légère", "mild"),
                ("moderate", "modérée", "moderate"),
                ("severe", "sévère", "severe"),
            ),
        ),
        _scale(
            "CLEIO:gmfcs",
            "classification de la fonction motrice globale (GMFCS)",
            "Gross Motor Function Classification System (GMFCS)",
            (
                ("I", "marche sans limitation", "walks without limitations"),
                ("II", "marche avec limitations", "walks with limitations"),
                ("III", "marche avec une aide tenue à la main", "walks with a hand-held device"),
                ("IV", "mobilité autonome limitée", "limited self-mobility"),
                ("V", "transporté en fauteuil", "transported in a wheelchair"),
            ),
        ),
    )
}
