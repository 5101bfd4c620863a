"""A registry of the schema before ids is migrated: nothing is lost, and every name still finds its trial."""

import hashlib
import json
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.registry.app import METADATA, MIGRATIONS, create_app
from services.registry.model.criteria_head import CriteriaHead
from services.registry.model.trial import Origin, ScopeAnswer, Trial, TrialInput
from services.registry.sample.load import listed
from services.registry.settings import RegistrySettings
from services.registry.terminology.terminology import builtin
from services.registry.trials.routing import audience, facets
from shared.feed.changes import Routing, write_routing
from shared.persistence import Database, migrations, open_database
from shared.persistence.migrations import upgrade
from tests.conftest import ADMIN, INTERNAL, client_of
from tests.contract.test_registry import a_trial
from tests.contract.test_sources import study

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
        state="published",
        published=True,
        origin=Origin(source="ctgov", source_id=number),
    )
    stored = {**trial.model_dump(mode="json", exclude={"identifier", "state"}), "id": number}
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


def compact(stored: Mapping[str, Any]) -> str:
    """Return a trial as the program writes it."""
    return json.dumps(stored, separators=(",", ":"))


async def stock_before_the_merge(connection: AsyncConnection) -> None:
    """Write trials as schema 0009 had them: one of a source, one that a person edited, and one of the sample."""
    for place, (number, source, curated) in enumerate(
        (("NCT99999991", "ctgov", False), ("NCT99999992", "ctgov", True), ("NCT99999993", "sample", True)), start=1
    ):
        key = f"CL0000000{place}"
        stored, trial = document([{"type": "nct", "value": number}], number, 1)
        first = {**stored, "id": key, "identifier": number, "origin": {"source": source, "source_id": number}}
        first["sites"] = [
            {"centre": "fr-necker", "status": "recruiting"}, {"centre": "fr-lille", "status": "recruiting"},
        ]  # fmt: skip
        second = {**first, "version": 2, "acronym": "EDITED"}
        columns = {"key": key, "public_id": number, "version": 2, "published": True, "demo": False}
        more = {"status": "recruiting", "curated": curated, "search": " ", "number": place}
        side = json.dumps(write_routing(Routing(audience(trial), facets(trial, builtin(), {}, [key]))))
        await add(connection, "trials", {**columns, **more, "document": compact(second), "side": side})
        for alias in (key, number):
            await add(
                connection, "trial_aliases", {"alias": alias, "trial_key": key, "is_public": True, "former": False}
            )
        for version in (first, second):
            row = {"trial_key": key, "version": version["version"], "at": AT, "changed": "[]"}
            await add(connection, "trial_versions", {**row, "document": compact(version)})
        criteria = {"trial": number, "version": 1, "grade": "registry", "cohorts": [], "criteria": []}
        row = {"trial_key": key, "version": 1, "grade": "registry", "at": AT, "document": json.dumps(criteria)}
        await add(connection, "criteria_versions", row)
        for centre, confirmed in (("fr-necker", AT), ("fr-lille", None)):
            site = {"trial_key": key, "centre": centre, "version": 3, "status": "recruiting", "slots": "[]"}
            await add(connection, "sites", {**site, "confirmed_at": confirmed})
        if source == "ctgov":
            record = {"source": "ctgov", "source_id": number, "version": 0 if curated else 1, "canonical_hash": "x"}
            more = {"rules": "", "result": "created", "trial_key": key, "read_at": AT}
            await add(connection, "source_records", {**record, **more})
        if source == "ctgov" and not curated:
            content = json.dumps(study(number)).encode()
            form = {"source": "ctgov", "source_id": number, "version": 1, "canonical_hash": "x", "received_at": AT}
            hashed = {"bytes_hash": hashlib.sha256(content).hexdigest(), "content": zlib.compress(content)}
            await add(connection, "source_versions", {**form, **hashed})


async def test_trials_from_before_the_merge_keep_what_they_had(database_url: str) -> None:
    database = open_database(database_url)
    await upgrade(database, MIGRATIONS, METADATA, "0009")
    async with database.transaction() as connection:
        await stock_before_the_merge(connection)
    await upgrade(database, MIGRATIONS, METADATA)
    await database.close()
    app = create_app(RegistrySettings(database_url=database_url, load_sample=False))
    async with app.router.lifespan_context(app), client_of(app, token=ADMIN) as admin:
        for centre in listed("centres.json"):
            body = {name: value for name, value in centre.items() if name != "id"}
            path = f"/registry/v1/centres/{centre['id']}"
            assert (await admin.put(path, json=body, headers={"If-None-Match": "*"})).status_code == 201

        async def origins(number: str) -> dict[str, tuple[str, str]]:
            items = (await admin.get(f"/registry/v1/trials/{number}/provenance")).json()["items"]
            return {one["path"]: (one["source"], one["source_id"]) for one in items}

        assert (await origins("NCT99999991"))["acronym"] == ("legacy", "CL00000001")
        assert (await origins("NCT99999992"))["acronym"] == ("legacy", "CL00000002:curated")
        sample = await origins("NCT99999993")
        assert (sample["acronym"], sample["phase"] if "phase" in sample else sample["status"]) == (
            ("legacy", "CL00000003:curated"), ("sample", "NCT99999993"),
        )  # fmt: skip
        headers = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
        before = [(await admin.get(f"/registry/v1/trials/CL0000000{number}")).json() for number in (1, 2, 3)]
        for trial in before:
            path = f"/registry/v1/trials/{trial['id']}"
            patched = await admin.patch(path, content='{"titles": {"fr": "Autre"}}', headers=headers)
            assert {**patched.json(), "version": 2, "updated_at": trial["updated_at"], "scope": trial["scope"]} == {
                **trial, "titles": {**trial["titles"], "fr": "Autre"}, "sites": sorted(
                    trial["sites"], key=lambda one: one["centre"]
                ),
            }  # fmt: skip
            sites = {one["centre"]: one for one in (await admin.get(f"{path}/sites")).json()["items"]}
            assert (sites["fr-necker"]["declared_status"], sites["fr-necker"]["version"]) == ("recruiting", 3)
            assert (sites["fr-lille"]["declared_status"], sites["fr-lille"]["source_status"]) == (None, "recruiting")
        # A record that is kept is read again, and takes the place of what was read of it before.
        reread = await admin.post("/registry/v1/sources/ctgov/reread")
        assert reread.json()["counts"] == {"updated": 1}
        assert (await origins("NCT99999991"))["titles.en"] == ("ctgov", "NCT99999991")
        assert "legacy" not in {source for source, _ in (await origins("NCT99999991")).values()}
        # Other records go before what was stored; where a person had written, the difference is shown.
        for number in ("NCT99999992", "NCT99999993"):
            identification = {"nctId": number, "briefTitle": "AAV gene therapy", "acronym": "NEW"}
            record = {"protocolSection": {"identificationModule": identification}}
            media = {"Content-Type": "application/x-ndjson"}
            sent = await admin.put("/registry/v1/sources/ctgov/trials", content=json.dumps(record), headers=media)
            assert sent.json()["counts"] == {"updated": 1}
            trial = (await admin.get(f"/registry/v1/trials/{number}")).json()
            assert (trial["acronym"], bool(trial["eligibility"]["text"])) == ("NEW", True)
            found = (await admin.get(f"/registry/v1/trials/{number}/conflicts")).json()["items"]
            assert "acronym" in {one["path"] for one in found if one["kind"] == "legacy"}
            patched = await admin.patch(f"/registry/v1/trials/{number}", content='{"acronym": "NEW"}', headers=headers)
            assert patched.json()["acronym"] == "NEW"
            found = (await admin.get(f"/registry/v1/trials/{number}/conflicts")).json()["items"]
            assert "acronym" not in {one["path"] for one in found}


async def downgrade(database: Database, revision: str) -> None:
    async with database.transaction() as connection:
        await connection.run_sync(
            migrations._command, MIGRATIONS, METADATA, lambda config: command.downgrade(config, revision)
        )


async def test_the_migration_to_the_merge_is_undone_without_losing_a_trial(database_url: str) -> None:
    database = open_database(database_url)
    await upgrade(database, MIGRATIONS, METADATA, "0009")
    async with database.transaction() as connection:
        await stock_before_the_merge(connection)
    await upgrade(database, MIGRATIONS, METADATA)
    await downgrade(database, "0009")
    async with database.read(as_service=True) as connection:
        kept = (await connection.execute(text("SELECT key, curated FROM trials ORDER BY key"))).all()
        counts = [
            (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()
            for table in ("sites", "trial_versions", "source_records")
        ]
    assert [(key, bool(curated)) for key, curated in kept] == [
        ("CL00000001", False), ("CL00000002", True), ("CL00000003", True),
    ]  # fmt: skip
    assert counts == [6, 6, 2]
    await database.close()
