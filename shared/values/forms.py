"""Readable forms of patterns: what a text must look like, for people who read a validation error."""

_FORMS: dict[str, tuple[str, str]] = {}


def described(pattern: str, *, fr: str, en: str) -> str:
    """Return ``pattern``, and remember its readable form: ``"two letters, e.g. FR"``."""
    _FORMS[pattern] = fr, en
    return pattern


def form_of(pattern: str) -> tuple[str, str]:
    """Return the readable form of a pattern in French and English; the pattern itself if it has none."""
    regular = f"un texte selon l'expression rationnelle {pattern}", f"a text matching the regular expression {pattern}"
    return _FORMS.get(pattern, regular)
