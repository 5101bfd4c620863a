"""Files of other projects that the pages load are the ones that were reviewed."""

import hashlib

from services.portal.pages.asset_files import assets

REVIEWED = {
    # npm htmx.org 2.0.11, dist/htmx.min.js
    "vendor/htmx-2.0.11.min.js": "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717",
}


def test_a_vendored_file_is_the_reviewed_one() -> None:
    found = {
        name: hashlib.sha256(asset.content).hexdigest()
        for name, asset in assets().items()
        if name.startswith("vendor/")
    }
    assert found == REVIEWED
