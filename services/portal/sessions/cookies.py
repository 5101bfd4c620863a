"""The cookie that names a session."""

from fastapi import Request, Response

_MAX_ID = 100


def id_in(request: Request, name: str) -> str | None:
    """Return the id of the session that a request names; None: it names none."""
    found = request.cookies.get(name)
    return found if found and len(found) <= _MAX_ID and found.isascii() else None


def set_cookie(response: Response, name: str, value: str, seconds: int | None = None) -> None:
    """Set a cookie that scripts cannot read. ``seconds``: None: until the browser is closed; 0: remove it."""
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=name.startswith("__Host-"), httponly=True, samesite="lax"
    )
