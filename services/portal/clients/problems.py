"""Errors of calls to the API."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from shared.values.language import Language
from shared.values.problems import Problem
from shared.values.wire import Label


class ApiError(Exception):
    """The API answered with a problem: ``title`` and ``detail`` are in the visitor's language.

    ``faults``: what is wrong, by field (``pointer``, ``code``, ``detail``).
    """

    def __init__(
        self, status: int, code: str, title: str, detail: str | None = None, faults: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.faults = faults

    @classmethod
    def of(cls, status: int, body: Any) -> Self:
        """Read a problem document; anything else is an error without a title."""
        if not isinstance(body, dict):
            return cls(status, "unreadable_answer", "")
        title = str(body.get("title") or body.get("error_description") or "")
        return cls(
            status,
            str(body.get("code") or body.get("error") or "unreadable_answer"),
            title,
            body.get("detail"),
            body.get("errors") or (),
        )


class ApiUnavailableError(Problem):
    """A service did not answer."""

    code, status = "unavailable", 503
    title = Label(fr="Service momentanément indisponible", en="Service unavailable for the moment")
    detail = Label(fr="Réessayez dans un instant.", en="Try again in a moment.")


# What a call of the API may fail with.
FAILURES = (ApiError, ApiUnavailableError)


def in_words(failure: ApiError | ApiUnavailableError, language: Language) -> ApiError:
    """Return a failure with a title in a language, for a page that keeps what was typed."""
    if isinstance(failure, ApiError):
        return failure
    return ApiError(failure.status, failure.code, getattr(failure.title, language))


def faults_by_field(
    faults: Sequence[Mapping[str, Any]], fields: Mapping[str, str]
) -> tuple[dict[str, str], list[Mapping[str, Any]]]:
    """Return the details of faults that belong to a field of a form, by field, and the other faults.

    ``fields``: fields of the API (pointers) → fields of the form.
    """
    by_field = {fields[one["pointer"]]: str(one["detail"]) for one in faults if one.get("pointer") in fields}
    return by_field, [one for one in faults if one.get("pointer") not in fields]
