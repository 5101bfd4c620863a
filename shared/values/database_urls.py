"""URLs of databases, as an operator writes them."""

import re

_FORM = "sqlite:///path or postgresql://user:password@host/database"
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)


def read_database_url(text: str) -> str:
    """Return a usable URL; ``postgres://`` becomes ``postgresql://``.

    :raises ValueError: another database, or not a URL. The message does not contain the URL, which may have a password.
    """
    scheme = _SCHEME.match(text)
    if scheme is None:
        raise ValueError(f"not a database URL: {_FORM}")
    name = scheme[1].lower()
    if name == "postgres" or name.partition("+")[0] == "postgresql":
        return f"postgresql://{text[scheme.end() :]}"
    if name == "sqlite" and text.startswith("sqlite:///") and len(text) > len("sqlite:///"):
        return text
    raise ValueError(f"{name} is not a supported database: {_FORM}")
