"""From an event to a receiver: a real web server hears of it, once, signed, or the log says why not."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from pydantic import SecretStr

from crowdalpha.rules.errors import Conflict
from crowdalpha.rules.hashing import Json
from crowdalpha.rules.ids import AccountId
from crowdalpha.server import Platform, open_platform
from crowdalpha.server.accounts.service import close_account
from crowdalpha.server.app import API
from crowdalpha.server.deliveries import service as deliveries
from crowdalpha.server.deliveries.tasks import Delivered, deliver_due, queue_due
from crowdalpha.server.jobs.running import run_job
from crowdalpha.server.jobs.service import list_jobs
from crowdalpha.server.models.service import create_model
from crowdalpha.server.tasks import ROUTINES, TASKS
from crowdalpha.server.webhooks import service
from crowdalpha.server.webhooks.announcing import announce_round
from tests.fixtures import tournament as make
from tests.fixtures.database import Cluster, settings_for
from tests.fixtures.people import Watch, person, program
from tests.fixtures.receiver import LOCAL, Receiver, receiver
from tests.fixtures.tournament import START

KEY = b"a key for tests alone, 32 bytes or more"
EVENT: service.Event = "scores.published"
PAYLOAD: dict[str, Json] = {"round": 3, "day": 1}


@pytest.fixture
def calling(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Open a platform that may call this machine."""
    settings = settings_for(cluster.new_database(), tmp_path_factory.mktemp("platform")).model_copy(
        update={"webhook_networks": LOCAL, "signing_key": SecretStr(KEY.decode())}
    )
    with open_platform(settings) as opened:
        with opened.session() as session:
            make.contest(session)
        yield opened


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as serving:
        yield serving


def subscribe(platform: Platform, account_id: AccountId, hook: Receiver) -> service.NewWebhook:
    with platform.session() as session:
        return service.create_webhook(
            session,
            account_id=account_id,
            url=hook.url,
            events=[EVENT],
            signing_key=KEY,
            networks=LOCAL,
            now=START,
        )


def happen(platform: Platform, *, account_id: AccountId | None = None, now: datetime = START) -> int:
    with platform.session() as session:
        return service.emit(
            session, event=EVENT, tournament_id=make.TOURNAMENT, payload=PAYLOAD, account_id=account_id, now=now
        )


def log_of(platform: Platform, webhook_id: int) -> list[deliveries.Delivery]:
    with platform.session() as session:
        return deliveries.list_deliveries(session, webhook_id=webhook_id)


@pytest.fixture
def ann(calling: Platform) -> AccountId:
    return person(calling, "ann").account_id


@pytest.fixture
def subscribed(calling: Platform, ann: AccountId, hook: Receiver) -> service.NewWebhook:
    return subscribe(calling, ann, hook)


def test_an_event_arrives_signed(calling: Platform, subscribed: service.NewWebhook, hook: Receiver) -> None:
    happen(calling)

    assert deliver_due(calling, START) == Delivered(1, 0, 0)

    ((_, headers, body),) = hook.requests
    told = json.loads(body)
    assert (told["type"], told["tournament"], told["data"]) == (EVENT, 8, PAYLOAD)
    secret = base64.b64decode(subscribed.secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert abs(int(headers["webhook-timestamp"]) - START.timestamp()) < 60
    (delivery,) = log_of(calling, subscribed.webhook.id)
    assert (delivery.state, [each.status for each in delivery.tries]) == ("delivered", [200])


def test_an_event_that_is_told_twice_arrives_once(
    calling: Platform, subscribed: service.NewWebhook, hook: Receiver
) -> None:
    assert subscribed.webhook.disabled_at is None

    assert [happen(calling), happen(calling, now=START + timedelta(hours=1))] == [1, 0]

    deliver_due(calling, START + timedelta(hours=2))
    assert deliver_due(calling, START + timedelta(hours=3)) == Delivered(0, 0, 0)
    assert len(hook.requests) == 1


def test_the_workers_make_the_calls(calling: Platform, subscribed: service.NewWebhook, hook: Receiver) -> None:
    happen(calling)
    queue_due(calling, START)
    with calling.session() as session:
        jobs = list_jobs(session)

    for job in jobs:
        run_job(calling, TASKS, job_id=job.id, worker="w", clock=Watch())

    assert queue_due in ROUTINES
    assert {job.kind for job in jobs} == {deliveries.KIND}
    assert len(hook.requests) == 1
    assert log_of(calling, subscribed.webhook.id)[0].state == "delivered"


def test_what_did_not_arrive_is_tried_again_and_then_arrives(
    calling: Platform, subscribed: service.NewWebhook, hook: Receiver
) -> None:
    hook.answer_with(503, "busy")
    happen(calling)

    assert deliver_due(calling, START) == Delivered(0, 1, 0)

    hook.answer_with(204)
    assert deliver_due(calling, START + timedelta(seconds=7)) == Delivered(0, 0, 0)
    assert deliver_due(calling, START + timedelta(seconds=20)) == Delivered(1, 0, 0)
    (delivery,) = log_of(calling, subscribed.webhook.id)
    assert [(each.status, each.answer) for each in delivery.tries] == [(503, "busy"), (204, "")]
    assert len({request[1]["webhook-id"] for request in hook.requests}) == 1


def test_waits_grow_to_six_hours_and_differ() -> None:
    waits = [deliveries.wait_after(n, 1).total_seconds() for n in range(1, 10)]
    middle = [10, 30, 90, 270, 810, 2430, 7290, 21600, 21600]

    assert all(0.8 * mid <= wait <= 1.2 * mid for wait, mid in zip(waits, middle, strict=True))
    assert len({deliveries.wait_after(1, each) for each in range(20)}) > 10


def test_a_message_is_given_up_after_ten_tries_and_sent_again_when_asked(
    calling: Platform, ann: AccountId, subscribed: service.NewWebhook, hook: Receiver
) -> None:
    hook.answer_with(500)
    happen(calling)
    done = [deliver_due(calling, START + timedelta(hours=7 * place)) for place in range(10)]
    assert done == [Delivered(0, 1, 0)] * 9 + [Delivered(0, 0, 1)]
    (delivery,) = log_of(calling, subscribed.webhook.id)
    hook.answer_with(200)

    with calling.session() as session:
        deliveries.replay(session, account_id=ann, delivery_id=delivery.id, now=START)

    assert deliver_due(calling, START) == Delivered(1, 0, 0)
    assert hook.requests[0][2] == hook.requests[-1][2]
    assert len(log_of(calling, subscribed.webhook.id)[0].tries) == 11


def test_a_webhook_that_fails_for_days_is_disabled_until_its_owner_enables_it(
    calling: Platform, ann: AccountId, subscribed: service.NewWebhook, hook: Receiver
) -> None:
    hook.answer_with(500)
    happen(calling)
    deliver_due(calling, START)

    deliver_due(calling, START + timedelta(days=5, minutes=1))

    (delivery,) = log_of(calling, subscribed.webhook.id)
    assert delivery.state == "failed"
    number = subscribed.webhook.id
    with calling.session() as session:
        assert service.get_webhook(session, account_id=ann, webhook_id=number).disabled_at is not None
        with pytest.raises(Conflict, match="is disabled; enable it first"):
            deliveries.replay(session, account_id=ann, delivery_id=delivery.id, now=START)
        assert service.emit(session, event=EVENT, tournament_id=make.TOURNAMENT, payload={"round": 9}, now=START) == 0
        assert service.enable_webhook(session, account_id=ann, webhook_id=number).disabled_at is None


def test_a_receiver_that_is_gone_is_called_no_more(
    calling: Platform, ann: AccountId, subscribed: service.NewWebhook, hook: Receiver
) -> None:
    hook.answer_with(410)
    happen(calling)

    assert deliver_due(calling, START) == Delivered(0, 0, 1)

    with calling.session() as session:
        assert service.get_webhook(session, account_id=ann, webhook_id=subscribed.webhook.id).disabled_at is not None


def test_calls_of_a_worker_that_was_killed_are_made_by_the_next(
    calling: Platform, subscribed: service.NewWebhook, hook: Receiver
) -> None:
    happen(calling)
    with calling.session() as session:
        (taken,) = deliveries.claim_due(session, limit=10, now=START)

    assert taken.url == subscribed.webhook.url
    assert deliver_due(calling, START + timedelta(seconds=119)) == Delivered(0, 0, 0)
    assert deliver_due(calling, START + deliveries.LEASE) == Delivered(1, 0, 0)
    assert len(hook.requests) == 1


def test_one_account_s_events_and_closed_accounts_reach_nobody_else(
    calling: Platform, subscribed: service.NewWebhook, hook: Receiver
) -> None:
    bob = person(calling, "bob").account_id
    other = subscribe(calling, bob, hook)

    assert happen(calling, account_id=bob) == 1
    with calling.session() as session:
        close_account(session, account_id=bob, now=START)

    assert deliver_due(calling, START) == Delivered(0, 0, 0)
    assert log_of(calling, subscribed.webhook.id) == []
    assert log_of(calling, other.webhook.id)[0].state == "queued"
    assert happen(calling) == 1


def test_a_model_is_started_by_its_webhook_when_a_round_opens(
    calling: Platform, ann: AccountId, hook: Receiver
) -> None:
    with calling.session() as session:
        model = create_model(session, account_id=ann, tournament_id=make.TOURNAMENT, name="m", now=START)
        service.set_model_webhook(
            session, account_id=ann, model_id=model.id, url=hook.url, signing_key=KEY, networks=LOCAL, now=START
        )
        make.dataset(session, calling.blobs, calling.settings.data_dir / "v1")
        opened = make.opened_round(session, 7)
        for _ in range(2):
            announce_round(session, "round.opened", opened, now=START)

    assert deliver_due(calling, START) == Delivered(1, 0, 0)

    ((_, headers, body),) = hook.requests
    told = json.loads(body)
    trigger_id = told.pop("triggerId")
    assert told == {"roundNumber": 7, "model": "m", "modelId": str(model.id), "isTest": False}
    assert trigger_id
    assert headers["content-type"] == "application/json"


def test_webhooks_over_http_belong_to_their_account(calling: Platform, hook: Receiver) -> None:
    bob, carl, client = person(calling, "bob"), person(calling, "carl"), program(calling)
    wanted = {"url": hook.url, "events": [EVENT]}

    made = client.post(f"{API}/webhooks", json=wanted, headers=bob.headers).json()

    assert made["secret"].startswith("whsec_")
    place = f"{API}/webhooks/{made['webhook']['id']}"
    assert client.get(place, headers=bob.headers).json() == made["webhook"]
    assert made["secret"] not in client.get(f"{API}/webhooks", headers=bob.headers).text
    turned = client.post(f"{place}/secret", headers=bob.headers).json()
    assert turned["secret"] != made["secret"]
    happen(calling)
    deliver_due(calling, START)
    (delivery,) = client.get(f"{place}/deliveries", headers=bob.headers).json()
    replay = f"{API}/webhooks/deliveries/{delivery['id']}/replay"
    for method, where in (
        ("GET", place),
        ("DELETE", place),
        ("POST", f"{place}/secret"),
        ("POST", f"{place}/enable"),
        ("POST", f"{place}/disable"),
        ("GET", f"{place}/deliveries"),
        ("POST", replay),
    ):
        assert client.request(method, where, headers=carl.headers).status_code == 404, where
    assert client.post(replay, headers=bob.headers).json()["state"] == "queued"
    assert client.post(f"{place}/disable", headers=bob.headers).json()["disabled_at"] is not None
    assert client.post(f"{place}/enable", headers=bob.headers).json()["disabled_at"] is None
    assert client.delete(place, headers=bob.headers).status_code == 204
    assert client.get(f"{API}/webhooks", headers=bob.headers).json() == []


def test_a_model_s_webhook_is_set_triggered_and_removed_over_http(calling: Platform, hook: Receiver) -> None:
    bob, carl, client = person(calling, "bob"), person(calling, "carl"), program(calling)
    with calling.session() as session:
        model = create_model(session, account_id=bob.account_id, tournament_id=make.TOURNAMENT, name="m", now=START)
    place = f"{API}/models/{model.id}/webhook"

    first = client.put(place, json={"url": hook.url}, headers=bob.headers).json()
    again = client.put(place, json={"url": hook.url}, headers=bob.headers).json()

    assert first == again
    assert client.put(place, json={"url": hook.url}, headers=carl.headers).status_code == 404
    assert client.get(place, headers=carl.headers).status_code == 404
    trigger = client.post(f"{place}/trigger", headers=bob.headers).json()["trigger_id"]
    assert json.loads(hook.requests[0][2])["triggerId"] == trigger
    hook.answer_with(500, "Internal Server Error")
    failed = client.post(f"{place}/trigger", headers=bob.headers)
    assert (failed.status_code, failed.json()["error"]["code"]) == (409, "webhook_failed")
    assert "Internal Server Error" in failed.json()["error"]["message"]
    assert client.delete(place, headers=bob.headers).status_code == 204
    assert client.post(f"{place}/trigger", headers=bob.headers).status_code == 404


@pytest.mark.parametrize("url", ["https://127.0.0.1/", "http://hook.example.org/", "https://[::ffff:10.0.0.1]/"])
def test_a_platform_that_names_no_networks_takes_no_such_address(fresh_platform: Platform, url: str) -> None:
    bob = person(fresh_platform, "bob")

    answer = program(fresh_platform).post(f"{API}/webhooks", json={"url": url, "events": [EVENT]}, headers=bob.headers)

    assert answer.status_code == 422


def test_a_key_without_the_scope_makes_no_webhook(calling: Platform, hook: Receiver) -> None:
    bob = person(calling, "bob", scopes=["read_user_info"])

    answer = program(calling).post(f"{API}/webhooks", json={"url": hook.url, "events": [EVENT]}, headers=bob.headers)

    assert answer.status_code == 403


def test_an_account_has_a_number_of_webhooks(calling: Platform, ann: AccountId, hook: Receiver) -> None:
    for _ in range(service.MAX_WEBHOOKS):
        subscribe(calling, ann, hook)

    with pytest.raises(Conflict, match="at most 10 webhooks"):
        subscribe(calling, ann, hook)
