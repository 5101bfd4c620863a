"""A small geography for tests, in the form of the files that an operator loads."""

import base64
import gzip
import hashlib
import json
from typing import Any

HEAD = "code_insee,nom,type,departement,region,population,codes_postaux,lat,lon"
# Enough villages that the file is longer than an ordinary text of the API may be.
VILLAGES = "".join(
    f"48{number},Village {hashlib.sha256(str(number).encode()).hexdigest()},commune-actuelle,48,76,{number},"
    f"48{number},44.5{number},3.5{number * 7 % 1000:03}\n"
    for number in range(500, 750)
)
COMMUNES = f"""{HEAD}
75056,Paris,commune-actuelle,75,11,2103778,75001|75015,48.85661,2.3428
75115,Paris 15e Arrondissement,arrondissement-municipal,75,11,227746,75015,48.84,2.2935
67482,Strasbourg,commune-actuelle,67,44,291313,67000|67100|67200,48.57124,7.76752
13055,Marseille,commune-actuelle,13,93,886040,13001|13002,43.29239,5.42189
2A004,Ajaccio,commune-actuelle,2A,94,74000,20000,41.93481,8.70133
93066,Saint-Denis,commune-actuelle,93,11,150000,93200,48.9295,2.3647
97411,Saint-Denis,commune-actuelle,974,04,155000,97400,-20.9329,55.4463
97705,Saint-Barthélemy,commune-actuelle,977,977,10000,97133,,
48095,Mende,commune-actuelle,48,76,12318,48000,44.5235,3.4912
{VILLAGES}"""
DEPARTEMENTS = json.dumps(
    [
        {"code": code, "nom": name, "region": region}
        for code, name, region in (
            ("13", "Bouches-du-Rhône", "93"),
            ("2A", "Corse-du-Sud", "94"),
            ("48", "Lozère", "76"),
            ("67", "Bas-Rhin", "44"),
            ("75", "Paris", "11"),
            ("93", "Seine-Saint-Denis", "11"),
            ("974", "La Réunion", "04"),
            ("977", "Saint-Barthélemy", "977"),
        )
    ],
    ensure_ascii=False,
)


def body_of(*texts: str, kind: str | None = None) -> dict[str, Any]:
    """Return the body that loads some texts, as the command line sends it."""
    kinds = [kind or ("communes" if text.startswith("code_insee") else "departements") for text in texts]
    return {
        "files": [
            {
                "kind": of,
                "name": f"{of}.csv",
                "sha256": hashlib.sha256(text.encode()).hexdigest(),
                "content": base64.b64encode(gzip.compress(text.encode())).decode(),
            }
            for of, text in zip(kinds, texts, strict=True)
        ]
    }
