"""Make one match with the generated client: match.py PACKAGE MODULE PATIENT BASE_URL. Prints the answer as JSON.

PACKAGE is the generated package, imported whole; MODULE makes the match; PATIENT is the class of its body.
"""

import importlib
import json
import pkgutil
import sys

name, operation, patient, base_url = sys.argv[1:]
package = importlib.import_module(name)
for module in pkgutil.walk_packages(package.__path__, f"{name}."):
    importlib.import_module(module.name)
body = getattr(importlib.import_module(f"{name}.models"), patient).from_dict(json.load(sys.stdin))
with package.Client(base_url=base_url, raise_on_unexpected_status=True) as client:
    answer = importlib.import_module(f"{name}.api.{operation}").sync(client=client, body=body)
print(json.dumps(answer.to_dict()))  # noqa: T201
