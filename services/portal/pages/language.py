"""The language of a page: ``/en/…`` is English, every other path French."""

from starlette.types import ASGIApp, Receive, Scope, Send

from shared.values.language import Language

_PREFIX = "/en"
KEY = "cleio_language"


class LanguageOfPath:
    """Takes ``/en`` off the path, so that each page has one route."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"]
            is_english = path == _PREFIX or path.startswith(f"{_PREFIX}/")
            scope[KEY] = "en" if is_english else "fr"
            if is_english:
                scope["path"] = path.removeprefix(_PREFIX) or "/"
                scope["raw_path"] = scope.get("raw_path", path.encode()).removeprefix(_PREFIX.encode()) or b"/"
        await self.app(scope, receive, send)


def in_language(path: str, language: Language) -> str:
    """Return the address of a page in a language. ``path``: without a prefix, beginning with ``/``."""
    if language == "fr":
        return path
    return _PREFIX if path == "/" else f"{_PREFIX}{path}"
