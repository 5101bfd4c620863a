"""What the operator reads once all is ready: the addresses, and one command to paste for each main job."""

import shlex
import sys
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
    cleio = _here(Path(sys.executable).parent / "cleio")
    # What the commands below are told where it is not the default.
    told = "".join(
        f"{name}={shlex.quote(value)} "
        for name, value, default in (
            ("CLEIO_PORT", str(installation.port), "8080"),
            ("CLEIO_DATA_DIR", _here(installation.data_dir), "var"),
        )
        if value != default
    )
    authorization = '-H "Authorization: Bearer $CLEIO_TOKEN"'
    return f"""
  trials         {url}/registry/v1/trials
  changes        {url}/registry/v1/feed
  match          {url}/matching/v1/match
  subscriptions  {url}/notifications/v1/subscriptions
  tokens         {url}/.well-known/oauth-authorization-server

List trials:
  {curl} '{url}/registry/v1/trials?q=duchenne&limit=3'
Match the worked patient (or, as a table: {told}{cleio} match {_here(EXAMPLE_PATIENT)} --lang en):
  {curl} -H 'Content-Type: application/json' --data-binary @{_here(EXAMPLE_PATIENT)} {url}/matching/v1/match
Become an administrator of this installation (nobody is one by default; the key is shown once):
  export CLEIO_TOKEN="$({told}{cleio} admin create)"
Let a hospital's program match, with a key pair of its own:
  {told}{cleio} client create --org my-hospital --kind hospital --scopes match.execute,trial.read
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
