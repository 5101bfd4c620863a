"""Search engines may list the pages of an installation unless it contains the sample."""

from pathlib import Path

import pytest

from services.supervisor.run import ROOT, gateway_pages


@pytest.mark.parametrize(("setting", "robots"), [(None, "none"), ("true", "none"), ("1", "none"), ("false", "all")])
def test_a_demonstration_is_not_listed(monkeypatch: pytest.MonkeyPatch, setting: str | None, robots: str) -> None:
    monkeypatch.delenv("CLEIO_REGISTRY_LOAD_SAMPLE", raising=False)
    if setting is not None:
        monkeypatch.setenv("CLEIO_REGISTRY_LOAD_SAMPLE", setting)
    pages = gateway_pages()
    assert pages["CLEIO_GATEWAY_ROBOTS"] == robots
    assert (ROOT / "deploy" / "gateway" / "site" / f"robots.{robots}.txt").is_file()
    assert (Path(pages["CLEIO_GATEWAY_SWAGGER_UI"]) / "swagger-ui-bundle.js").is_file()
