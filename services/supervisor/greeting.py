"""What the operator reads once all is ready: the addresses, and one command to paste for each main job."""

import shlex
from pathlib import Path

from services.supervisor.installation import Installation

EXAMPLE_PATIENT = Path(__file__).resolve().parents[2] / "docs" / "examples" / "duchenne-boy.json"


def greeting(installation: Installation) -> str:
    """Addresses and commands, as they work in the folder where the supervisor was started."""
    url, curl = installation.local_url, "curl"
    if installation.door.tls == "files":
        curl += f" --resolve {installation.door.name}:{installation.port}:{installation.host}"
    if installation.door.tls == "internal":
        curl += f" --cacert {_here(installation.authority)}"
    token_file = _here(installation.secrets_dir / "admin-token")
    authorization = f'-H "Authorization: Bearer $(cat {token_file})"'
    return f"""
  trials         {url}/registry/v1/trials
  changes        {url}/registry/v1/feed
  match          {url}/matching/v1/match
  subscriptions  {url}/notifications/v1/subscriptions
  admin token    {token_file}   (only the owner of this installation can read it)

List trials:
  {curl} '{url}/registry/v1/trials?q=duchenne&limit=3'
Match the worked patient (or, as a table: cleio match {_here(EXAMPLE_PATIENT)} --lang en):
  {curl} -H 'Content-Type: application/json' --data-binary @{_here(EXAMPLE_PATIENT)} {url}/matching/v1/match
Subscribe a webhook to changes:
  {curl} {authorization} -H 'Content-Type: application/json' -H "Idempotency-Key: $(date +subscribe-%s-%N)" \\
    -d '{{"channel": {{"type": "webhook", "url": "https://example.org/cleio"}}, "types": ["trial.status_changed"]}}' \\
    {url}/notifications/v1/subscriptions
Update a trial (If-Match names the version that was read):
  {curl} -X PATCH {authorization} -H 'Content-Type: application/merge-patch+json' \\
    -H "If-Match: $({curl} -sI {url}/registry/v1/trials/CLEIO-DEMO-0001 | awk 'tolower($1) == "etag:" {{ print $2 }}' | tr -d '\\r')" \\
    -d '{{"status": "active_not_recruiting"}}' {url}/registry/v1/trials/CLEIO-DEMO-0001
"""


def _here(path: Path) -> str:
    """The path as one would type it: relative where that is shorter, safe to paste."""
    return shlex.quote(str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path))
