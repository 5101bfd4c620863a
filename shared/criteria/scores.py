"""Sets of classification criteria of `score` leaves (`docs/eligibility.md` §5): groups of items with their points."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from shared.values.wire import Label


class Item(NamedTuple):
    """A finding and its points. ``codes``: any of them shows it, with their descendants."""

    codes: tuple[str, ...]
    points: int


class ClassificationSet(NamedTuple):
    """A set of criteria. Of each group the item with the most points counts. ``source``: where it was published."""

    label: Label
    groups: tuple[tuple[Item, ...], ...]
    source: str


SCORES: Final[Mapping[str, ClassificationSet]] = {
    "CLEIO:acr-eular-2013-ssc": ClassificationSet(
        Label(
            fr="critères ACR/EULAR 2013 de la sclérodermie systémique",
            en="2013 ACR/EULAR criteria for systemic sclerosis",
        ),
        (
            # Thick skin of the fingers of both hands that reaches beyond the knuckles is enough by itself.
            (
                Item(("CLEIO:ssc-skin-beyond-mcp",), 9),
                Item(("HP:0011838",), 4),  # sclerodactyly
                Item(("CLEIO:puffy-fingers",), 2),
            ),
            (Item(("HP:0031293",), 3), Item(("HP:0031917",), 2)),  # pitting scars, ulcers of the fingertips
            (Item(("HP:0001009",), 2),),  # telangiectasia
            (Item(("CLEIO:abnormal-nailfold-capillaries",), 2),),
            (Item(("HP:0002092",), 2), Item(("HP:0006530",), 2)),  # pulmonary hypertension, interstitial lung disease
            (Item(("HP:0030880",), 3),),  # Raynaud phenomenon
            (Item(("HP:0030873",), 3), Item(("HP:0030859",), 3), Item(("HP:0033038",), 3)),  # antibodies
        ),
        "van den Hoogen et al., Ann Rheum Dis 2013;72:1747-1755",
    ),
}
