"""French départements and territories, and countries."""

from typing import Annotated, Final

from pydantic import StringConstraints

# 01 to 95 without 20 (Corsica is 2A and 2B), the overseas départements and the overseas territories.
# 971 Guadeloupe, 972 Martinique, 973 Guyane, 974 La Réunion, 975 Saint-Pierre-et-Miquelon, 976 Mayotte, 977 Saint-
# Barthélemy,
# 978 Saint-Martin, 984 Terres australes, 986 Wallis-et-Futuna, 987 Polynésie française, 988 Nouvelle-Calédonie.
DEPARTEMENT_PATTERN: Final = r"^(0[1-9]|1[0-9]|2[1-9AB]|[3-8][0-9]|9[0-5]|97[1-8]|98[4678])$"
# ISO 3166-1 alpha-2.
COUNTRY_PATTERN: Final = r"^[A-Z]{2}$"

Departement = Annotated[str, StringConstraints(pattern=DEPARTEMENT_PATTERN)]
Country = Annotated[str, StringConstraints(pattern=COUNTRY_PATTERN)]
