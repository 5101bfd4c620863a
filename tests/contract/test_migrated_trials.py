"""A registry of the schema before ids is migrated: nothing is lost, and every name still finds its trial."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.app import METADATA, MIGRATIONS, create_app
from services.registry.model.criteria_head import CriteriaHead
from services.registry.model.trial import Origin, ScopeAnswer, Trial, TrialInput
from services.registry.settings import RegistrySettings
from services.registry.terminology.terminology import builtin
from services.registry.trials.routing import audience, facets
from shared.feed.changes import Routing, write_routing
from shared.persistence import open_database
from shared.persistence.migrations import upgrade
from tests.conftest import ADMIN, INTERNAL, client_of
from tests.contract.test_registry import a_trial

pytestmark = pytest.mark.anyio

# Not old enough to be removed from the feed.
AT = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
KEYS = ("0b1a5f2e-0000-4000-8000-000000000001", "0b1a5f2e-0000-4000-8000-000000000002")
NCT, EUCT, OTHER = "NCT99999991", "2023-505234-12-00", "NCT99999992"


def document(identifiers: list[dict[str, str]], number: str, version: int) -> tuple[dict[str, Any], Trial]:
    """Return a trial as the earlier schema stored it, and as it is now."""
    draft = TrialInput.model_validate(a_trial(identifiers=identifiers))
    trial = Trial(
        **{name: getattr(draft, name) for name in TrialInput.model_fields},
        id="CL00000001",
        identifier=number,
        version=version,
        updated_at=AT,
        criteria=CriteriaHead(version=1, grade="registry"),
        scope=ScopeAnswer(answer="in_scope", reasons=[]),
        published=True,
        origin=Origin(source="ctgov", source_id=number),
    )
    stored = {**trial.model_dump(mode="json", exclude={"identifier"}), "id": number}
    return stored, trial


def routing_of(trial: Trial) -> str:
    side = facets(trial, builtin(), {})
    return json.dumps(write_routing(Routing(audience(trial), {name: side[name] for name in side if name != "trial"})))


async def add(connection: AsyncConnection, table: str, row: Mapping[str, Any]) -> None:
    columns, values = ", ".join(row), ", ".join(f":{name}" for name in row)
    await connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({values})"), dict(row))


async def fill(connection: AsyncConnection) -> None:
    """Write two trials as the earlier schema had them; the first one got another preferred number in version 2."""
    first, both = (
        [{"type": "nct", "value": NCT}],
        [{"type": "euct", "value": EUCT}, {"type": "sponsor", "value": "GT 1"}],
    )
    versions = [document(first, NCT, 1)[0], document(both, EUCT, 2)[0]]
    for place, (key, number, identifiers) in enumerate(
        zip(KEYS, (EUCT, OTHER), (both, [{"type": "nct", "value": OTHER}]), strict=True), start=1
    ):
        stored, trial = document(identifiers, number, 3 - place)
        columns = {"key": key, "public_id": number, "version": 3 - place, "published": True, "demo": False}
        more = {"status": "recruiting", "curated": False, "search": "", "number": place}
        texts = {"document": json.dumps(stored), "side": routing_of(trial)}
        await add(connection, "trials", {**columns, **more, **texts})
        for one in identifiers:
            await add(connection, "trial_identifiers", {**one, "trial_key": key})
        for version in versions if place == 1 else [stored]:
            row = {"trial_key": key, "version": version["version"], "at": AT, "changed": '["created"]'}
            await add(connection, "trial_versions", {**row, "document": json.dumps(version)})
        criteria = {"trial": number, "version": 1, "grade": "registry", "cohorts": [], "criteria": []}
        row = {"trial_key": key, "version": 1, "grade": "registry", "at": AT, "document": json.dumps(criteria)}
        await add(connection, "criteria_versions", row)
        site = {"trial_key": key, "centre": "fr-necker", "version": 1, "status": "recruiting", "slots": "[]"}
        await add(connection, "sites", site)
        record = {"source": "ctgov", "source_id": number, "hash": "x", "result": "created", "trial_key": key}
        await add(connection, "source_records", {**record, "read_at": AT})
        side = routing_of(trial)
        for subject, extra in ((f"trial/{number}", "{}"), (f"site/{number}/fr-necker", '{"trial":"x"}')):
            await entry(connection, subject, extra, side)
    await entry(connection, f"trial/{NCT}", json.dumps({"into": EUCT}), routing_of(document(first, NCT, 1)[1]))


async def entry(connection: AsyncConnection, subject: str, extra: str, side: str) -> None:
    seq = (await connection.execute(text("UPDATE feed_head SET seq = seq + 1 RETURNING seq"))).scalar_one()
    row = {"seq": seq, "id": f"event-{seq}", "type": "trial.updated", "subject": subject, "version": 1, "at": AT}
    sides = {"changed": "[]", "extra": extra, "before": side, "after": side, "narrows": False}
    await add(connection, "feed_entries", {**row, **sides})


async def test_an_earlier_registry_is_migrated_with_all_that_it_has(database_url: str) -> None:
    database = open_database(database_url)
    await upgrade(database, MIGRATIONS, METADATA, "0006")
    async with database.transaction() as connection:
        await fill(connection)
    await upgrade(database, MIGRATIONS, METADATA)
    await database.close()
    app = create_app(RegistrySettings(database_url=database_url, load_sample=False))
    async with app.router.lifespan_context(app):
        async with client_of(app) as public:
            for name in (EUCT, EUCT[:-3], NCT, "nct 9999 9991", "CL00000001"):
                trial = (await public.get(f"/registry/v1/trials/{name}")).json()
                assert (trial["id"], trial["identifier"]) == ("CL00000001", EUCT), name
            assert (await public.get(f"/registry/v1/trials/{OTHER}")).json()["id"] == "CL00000002"
            path = "/registry/v1/trials/CL00000001"
            history = (await public.get(f"{path}/history")).json()["items"]
            assert [(one["trial"]["id"], one["trial"]["identifier"]) for one in history] == [
                ("CL00000001", EUCT),
                ("CL00000001", NCT),
            ]
            assert (await public.get(f"{path}/criteria")).json()["version"] == 1
            assert [site["centre"] for site in (await public.get(f"{path}/sites")).json()["items"]] == ["fr-necker"]
            assert [one["identifier"] for one in (await public.get("/registry/v1/trials?q=gene")).json()["items"]] == [
                EUCT,
                OTHER,
            ]
            events = (await public.get(f"/registry/v1/feed?trial={NCT}")).json()
        assert [event["subject"] for event in events] == [
            "trial/CL00000001",
            "site/CL00000001/fr-necker",
            "trial/CL00000001",
        ]
        assert [event["data"].get("identifier", event["data"].get("trial")) for event in events] == [EUCT, EUCT, NCT]
        assert "into" not in events[2]["data"]
        async with client_of(app, token=INTERNAL) as service:
            export = [json.loads(line) for line in (await service.get("/registry/v1/export")).text.splitlines()]
        assert [line["id"] for line in export if line["kind"] == "trial"] == ["CL00000001", "CL00000002"]
        # A record that came before its form was kept is assigned to its trial, and kept from now on.
        async with client_of(app, token=ADMIN) as admin:
            record = {"protocolSection": {"identificationModule": {"nctId": OTHER, "briefTitle": "Gene therapy"}}}
            sent = await admin.put(
                "/registry/v1/sources/ctgov/trials",
                content=json.dumps(record),
                headers={"Content-Type": "application/x-ndjson"},
            )
        assert sent.json()["results"][0]["trial_id"] == "CL00000002"


async def test_readers_of_the_feed_begin_anew_after_the_migration(database_url: str) -> None:
    database = open_database(database_url)
    await upgrade(database, MIGRATIONS, METADATA, "0006")
    async with database.transaction() as connection:
        await fill(connection)
    await upgrade(database, MIGRATIONS, METADATA)
    async with database.read(as_service=True) as connection:
        assert (await connection.execute(text("SELECT generation FROM feed_head"))).scalar_one() > 1
    await database.close()
