"""Check that documents, tests and comments refer to things that exist."""

import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from services.matching.settings import MatchingSettings
from services.notifications.settings import NotificationsSettings
from services.portal.settings import PortalSettings
from services.registry.settings import RegistrySettings
from shared.operations.telemetry import Metrics
from shared.values.addresses import EMBEDDED_PORTS

ROOT = Path(__file__).resolve().parents[2]
DECISIONS = ROOT / "docs" / "decisions"
SUFFIXES = {".md", ".py", ".txt", ".toml", ".yaml", ".yml", ".example", ".service"}
# Files of this project that a text names by their path.
PATH = re.compile(
    r"(?<![\w./-])(?:docs|tests|deploy|services|shared)/[\w./-]+\.(?:md|py|txt|json|yaml|yml|toml|sql|mjs)(?!\w)"
)
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)\)")
DECISION = re.compile(r"\bdecisions?\s(\d{1,3})\b")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
STATUS = re.compile(r"\*Status: (accepted|superseded by decision (\d+))\.\*")
SCRAPE = re.compile(r"- job_name: (\w+)\n\s+static_configs:\n\s+- targets: \[\"127\.0\.0\.1:(\d+)\"\]")
METRIC = re.compile(r"\b(?:cleio|process)_[a-z_]+\b")
PROMETHEUS_DURATION = re.compile(r"[1-9]\d*[smhd]")
INDEX_ROW = re.compile(r"^\| (\d+) \| \[(.+)\]\((\d{4}-[a-z0-9-]+\.md)\) \| .+ \| (.+) \|$", re.MULTILINE)


def texts() -> dict[Path, str]:
    """Return the text of every tracked file that may refer to another."""
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    files = [ROOT / name for name in names if Path(name).suffix in SUFFIXES and (ROOT / name).is_file()]
    return {file: file.read_text(encoding="utf-8") for file in files}


def anchors(text: str) -> set[str]:
    """Return the anchors of the headings of a Markdown file, as GitHub makes them."""
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in HEADING.findall(text)}


def test_every_file_that_is_named_exists() -> None:
    named = {(file, path) for file, text in texts().items() for path in PATH.findall(text)}
    assert len(named) > 50
    assert sorted(f"{file.relative_to(ROOT)}: {path}" for file, path in named if not (ROOT / path).exists()) == []


def test_every_link_leads_somewhere() -> None:
    documents = {file: text for file, text in texts().items() if file.suffix == ".md"}
    links = {(file, link) for file, text in documents.items() for link in LINK.findall(text)}
    assert len(links) > 100
    broken = []
    for file, link in links:
        path, _, anchor = link.partition("#")
        target = (file.parent / path).resolve() if path else file
        if not target.exists() or (anchor and anchor not in anchors(documents[target])):
            broken.append(f"{file.relative_to(ROOT)}: {link}")
    assert sorted(broken) == []


def test_every_decision_that_is_named_was_written_down() -> None:
    written = {int(file.name[:4]) for file in DECISIONS.glob("[0-9]*.md")}
    named = {(file, int(number)) for file, text in texts().items() for number in DECISION.findall(text)}
    assert (
        sorted(f"{file.relative_to(ROOT)}: decision {number}" for file, number in named if number not in written) == []
    )


def test_decisions_have_one_form_and_no_gap() -> None:
    files = sorted(DECISIONS.glob("[0-9]*.md"))
    assert [int(file.name[:4]) for file in files] == list(range(1, len(files) + 1))
    for file in files:
        text = file.read_text(encoding="utf-8")
        number, _, title = text.partition("\n")[0].removeprefix("# ").partition(". ")
        assert (number, bool(title)) == (str(int(file.name[:4])), True), file.name
        assert STATUS.search(text), file.name
        sections = re.findall(r"^## (\w+)$", text, re.MULTILINE)
        assert [name for name in sections if name != "Alternatives"] == ["Context", "Decision", "Consequences"], (
            file.name
        )


def test_the_index_of_decisions_is_complete() -> None:
    rows = INDEX_ROW.findall((DECISIONS / "README.md").read_text(encoding="utf-8"))
    expected = []
    for file in sorted(DECISIONS.glob("[0-9]*.md")):
        text = file.read_text(encoding="utf-8")
        number, _, title = text.partition("\n")[0].removeprefix("# ").partition(". ")
        status = STATUS.search(text)
        assert status is not None
        expected.append((number, title, file.name, status[1]))
    assert rows == expected


def test_every_setting_is_described_for_operators() -> None:
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    missing = set()
    for settings in (RegistrySettings, MatchingSettings, NotificationsSettings, PortalSettings):
        for name, field in settings.model_fields.items():
            alias = field.validation_alias
            first = getattr(alias, "choices", [alias])[0]
            variable = first or f"{settings.model_config['env_prefix']}{name.upper()}"
            if f"`{variable}" not in guide:
                missing.add(variable)
    assert sorted(missing) == []


def _alerts() -> list[dict[str, Any]]:
    document = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))
    assert set(document) == {"groups"}
    for group in document["groups"]:
        assert set(group) <= {"name", "interval", "rules"}
    return [rule for group in document["groups"] for rule in group["rules"]]


def test_alert_rules_have_the_form_that_prometheus_reads() -> None:
    alerts = _alerts()
    assert len({alert["alert"] for alert in alerts}) == len(alerts) > 8
    for alert in alerts:
        assert set(alert) <= {"alert", "expr", "for", "keep_firing_for", "labels", "annotations"}, alert
        assert re.fullmatch(r"Cleio\w+", alert["alert"])
        assert PROMETHEUS_DURATION.fullmatch(alert.get("for", "1m"))
        assert alert["labels"]["severity"] in {"warning", "critical"}
        assert set(alert["annotations"]) == {"summary", "description"}
        assert alert["expr"].count("(") == alert["expr"].count(")")


def test_alert_rules_use_metrics_that_exist() -> None:
    metrics = Metrics()
    gauges = [value for value in vars(metrics).values() if hasattr(value, "describe")]
    known = {metric.name for gauge in gauges for metric in gauge.describe()}
    known |= {"process_open_fds", "process_max_fds", "process_start_time_seconds"}
    named = {name for alert in _alerts() for name in METRIC.findall(alert["expr"])}
    assert len(named) > 5
    assert {name for name in named if re.sub(r"_(total|bucket)$", "", name) not in known} == set()


def test_the_scrape_configuration_names_the_default_ports() -> None:
    guide = (ROOT / "docs" / "guides" / "operator.md").read_text(encoding="utf-8")
    assert {name: int(port) for name, port in SCRAPE.findall(guide)} == {
        name: 8080 + offset for name, offset in EMBEDDED_PORTS.items()
    }
