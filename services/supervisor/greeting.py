"""The text that is printed when the system is ready: addresses, and a command for each main task."""

import shlex
import sys
from pathlib import Path

from services.supervisor.installation import Installation

EXAMPLE_PATIENT = Path(__file__).resolve().parents[2] / "docs" / "examples" / "duchenne-boy.json"


def greeting(installation: Installation) -> str:
    """Return addresses and commands that work in the folder where the supervisor was started."""
    url, curl = installation.local_url, "curl"
    if installation.gateway.tls == "files":
        curl += f" --resolve {installation.gateway.name}:{installation.port}:{installation.host}"
    if installation.gateway.tls == "internal":
        curl += f" --cacert {_shell_path(installation.authority)}"
    cleio = _shell_path(Path(sys.executable).parent / "cleio")
    # Settings that differ from the default, for the commands below.
    settings = "".join(
        f"{name}={shlex.quote(value)} "
        for name, value, default in (
            ("CLEIO_PORT", str(installation.port), "8080"),
            ("CLEIO_DATA_DIR", _shell_path(installation.data_dir), "var"),
        )
        if value != default
    )
    authorization = '-H "Authorization: Bearer $CLEIO_TOKEN"'
    demo_trial = f"{url}/registry/v1/trials/CLEIO-DEMO-0001"
    etag = f"{curl} -sI {demo_trial} | awk 'tolower($1) == \"etag:\" {{ print $2 }}' | tr -d '\\r'"
    patient = _shell_path(EXAMPLE_PATIENT)
    match_note, match_header = f"as a table: {settings}{cleio} match {patient} --lang en", ""
    if installation.needs_token_to_match:
        match_note = "CLEIO_TOKEN: a token of a hospital's client, see below"
        match_header = f" {authorization}"
    public = installation.public_url.rstrip("/")
    return f"""
  pages          {public}/ (French), {public}/en (English)
  API reference  {public}/docs
  trials         {public}/registry/v1/trials
  changes        {public}/registry/v1/feed
  match          {public}/matching/v1/match
  subscriptions  {public}/notifications/v1/subscriptions
  tokens         {public}/.well-known/oauth-authorization-server

List trials:
  {curl} '{url}/registry/v1/trials?q=duchenne&limit=3'
Match the example patient ({match_note}):
  {curl}{match_header} -H 'Content-Type: application/json' --data-binary @{patient} {url}/matching/v1/match
Create an administrator of this installation (there is none by default; the key is shown only once):
  export CLEIO_TOKEN="$({settings}{cleio} admin create)"
Create a client for a hospital's program, with its own key pair:
  {settings}{cleio} client create --org my-hospital --kind hospital --scopes match.execute,trial.read
Subscribe a webhook to changes:
  {curl} {authorization} -H 'Content-Type: application/json' -H "Idempotency-Key: $(date +subscribe-%s-%N)" \\
    -d '{{"channel": {{"type": "webhook", "url": "https://example.org/cleio"}}, "types": ["trial.status_changed"]}}' \\
    {url}/notifications/v1/subscriptions
Update a trial (If-Match names the version that is changed):
  {curl} -X PATCH {authorization} -H 'Content-Type: application/merge-patch+json' \\
    -H "If-Match: $({etag})" \\
    -d '{{"status": "active_not_recruiting"}}' {demo_trial}
"""


def _shell_path(path: Path) -> str:
    """Return the path as one would type it, quoted for the shell."""
    return shlex.quote(str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path))
