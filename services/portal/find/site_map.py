"""The map of the site for search engines: trials that are not fictitious, diseases and centres."""

from xml.sax.saxutils import escape

from services.portal.clients.api import Api
from services.portal.clients.names import centres_of

_TRIALS = "/registry/v1/trials"
# The newest trials: a search engine finds the others from the pages of diseases.
_PAGES, _PAGE = 10, 200


async def site_map(api: Api, base: str) -> str:
    """Return the map. ``base``: the address of the installation without a slash at its end."""
    counted = await api.get(_TRIALS, sample="none", facets="condition", fields="identifier", limit=1)
    trials, cursor = [], ""
    for _ in range(_PAGES):
        answer = await api.get(
            _TRIALS, sample="none", sort="updated", fields="identifier,updated_at", limit=_PAGE, cursor=cursor
        )
        trials += [(f"/trials/{one['identifier']}", one["updated_at"][:10]) for one in answer["items"]]
        cursor = answer["next"]
        if not cursor:
            break
    pages = ["/", "/trials", "/diseases", "/centres", "/map", "/about"]
    pages += [f"/diseases/{one['value']}" for one in counted["facets"]["condition"]]
    pages += [f"/centres/{one}" for one in await centres_of(api)]
    entries = [_entry(base + path) for path in pages] + [_entry(base + path, day) for path, day in trials]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{"".join(entries)}</urlset>\n'
    )


def _entry(address: str, changed: str = "") -> str:
    day = f"<lastmod>{changed}</lastmod>" if changed else ""
    return f"<url><loc>{escape(address)}</loc>{day}</url>\n"
