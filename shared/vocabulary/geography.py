"""French départements and territories, and countries."""

from typing import Annotated, Final

from pydantic import StringConstraints

from shared.values.forms import described

# 01 to 95 without 20 (Corsica is 2A and 2B), the overseas départements and the overseas territories.
# 971 Guadeloupe, 972 Martinique, 973 Guyane, 974 La Réunion, 975 Saint-Pierre-et-Miquelon, 976 Mayotte,
# 977 Saint-Barthélemy,
# 978 Saint-Martin, 984 Terres australes, 986 Wallis-et-Futuna, 987 Polynésie française, 988 Nouvelle-Calédonie.
DEPARTEMENT_PATTERN: Final = described(
    r"^(0[1-9]|1[0-9]|2[1-9AB]|[3-8][0-9]|9[0-5]|97[1-8]|98[4678])$",
    fr="un département, p. ex. 59, 2A ou 971",
    en="a département, e.g. 59, 2A or 971",
)
# ISO 3166-1 alpha-2.
COUNTRY_PATTERN: Final = described(
    r"^[A-Z]{2}$", fr="deux lettres majuscules, p. ex. FR", en="two capital letters, e.g. FR"
)
# The codes of ISO 3166-1, and XK (Kosovo), which registries use too.
# fmt: off
COUNTRIES: Final = frozenset({
    "AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AQ", "AR", "AS", "AT", "AU", "AW", "AX", "AZ", "BA", "BB",
    "BD", "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS", "BT", "BV", "BW", "BY",
    "BZ", "CA", "CC", "CD", "CF", "CG", "CH", "CI", "CK", "CL", "CM", "CN", "CO", "CR", "CU", "CV", "CW", "CX",
    "CY", "CZ", "DE", "DJ", "DK", "DM", "DO", "DZ", "EC", "EE", "EG", "EH", "ER", "ES", "ET", "FI", "FJ", "FK",
    "FM", "FO", "FR", "GA", "GB", "GD", "GE", "GF", "GG", "GH", "GI", "GL", "GM", "GN", "GP", "GQ", "GR", "GS",
    "GT", "GU", "GW", "GY", "HK", "HM", "HN", "HR", "HT", "HU", "ID", "IE", "IL", "IM", "IN", "IO", "IQ", "IR",
    "IS", "IT", "JE", "JM", "JO", "JP", "KE", "KG", "KH", "KI", "KM", "KN", "KP", "KR", "KW", "KY", "KZ", "LA",
    "LB", "LC", "LI", "LK", "LR", "LS", "LT", "LU", "LV", "LY", "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK",
    "ML", "MM", "MN", "MO", "MP", "MQ", "MR", "MS", "MT", "MU", "MV", "MW", "MX", "MY", "MZ", "NA", "NC", "NE",
    "NF", "NG", "NI", "NL", "NO", "NP", "NR", "NU", "NZ", "OM", "PA", "PE", "PF", "PG", "PH", "PK", "PL", "PM",
    "PN", "PR", "PS", "PT", "PW", "PY", "QA", "RE", "RO", "RS", "RU", "RW", "SA", "SB", "SC", "SD", "SE", "SG",
    "SH", "SI", "SJ", "SK", "SL", "SM", "SN", "SO", "SR", "SS", "ST", "SV", "SX", "SY", "SZ", "TC", "TD", "TF",
    "TG", "TH", "TJ", "TK", "TL", "TM", "TN", "TO", "TR", "TT", "TV", "TW", "TZ", "UA", "UG", "UM", "US", "UY",
    "UZ", "VA", "VC", "VE", "VG", "VI", "VN", "VU", "WF", "WS", "YE", "YT", "ZA", "ZM", "ZW", "XK",
})
# fmt: on

# The overseas départements and the collectivities that count as France: Guadeloupe, Guyane, Martinique, Mayotte,
# Réunion, Saint-Barthélemy, Saint-Martin, Saint-Pierre-et-Miquelon.
PARTS_OF_FRANCE: Final = frozenset({"GP", "GF", "MQ", "YT", "RE", "BL", "MF", "PM"})


def country_of(code: str) -> str:
    """Return the country that a code of ISO 3166-1 counts as: parts of France are France."""
    return "FR" if code in PARTS_OF_FRANCE else code


Departement = Annotated[str, StringConstraints(pattern=DEPARTEMENT_PATTERN)]
Country = Annotated[str, StringConstraints(pattern=COUNTRY_PATTERN)]
