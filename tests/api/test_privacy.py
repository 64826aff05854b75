"""The privacy page's calls: one link, one visit, one person; and acting there is acting (R25, R32)."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from faceauth.identity.privacy_links import LINK, VISIT
from tests.api.conftest import OTHER_TENANT, Service
from tests.api.test_routes import code


def link(service: Service, account: str = "anna") -> str:
    """Mint a link as the backend and return its token."""
    answer = service.call("POST", f"/v1/accounts/{account}/privacy-link")
    assert answer.status_code == 201, answer.text
    url: str = answer.json()["privacy_url"]
    assert "/ui/privacy#token=fl_" in url
    return url.partition("#token=")[2]


class Page:
    """The page, opened."""

    def __init__(self, service: Service, token: str) -> None:
        self.service = service
        self.token = token
        self.token = self.ask("POST", "/begin").json()["page_token"]

    def ask(self, method: str, path: str = "", **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.service.http.request(method, f"/v1/privacy{path}", headers=headers, **more)

    def login(self) -> dict[str, Any]:
        (found,) = [one for one in self.ask("GET").json()["scenarios"] if one["scenario"] == "login"]
        scenario: dict[str, Any] = found
        return scenario

    def agree(self) -> Any:
        return self.answer("given")

    def answer(self, decision: str) -> Any:
        notice = self.login()["notice"]
        body = {
            "scenario": "login",
            "notice_version": notice["version"],
            "notice_sha256": notice["texts"]["en"]["sha256"],
            "locale": "en",
            "decision": decision,
            "affirmation": {"method": "checkbox", "checked_by_default": False, "text": "I agree"},
        }
        return self.ask("POST", "/answers", json=body)


@pytest.fixture
def page(service: Service) -> Page:
    service.account()
    return Page(service, link(service))


def test_a_link_opens_once_and_not_for_long(service: Service) -> None:
    service.account()
    token = link(service)
    opened = Page(service, token)
    assert opened.ask("GET").status_code == 200
    with pytest.raises(KeyError):
        Page(service, token)
    late = link(service)
    service.clock.forward((LINK + timedelta(seconds=1)).total_seconds())
    with pytest.raises(KeyError):
        Page(service, late)
    service.clock.forward((VISIT - LINK).total_seconds())
    assert code(opened.ask("GET")) == "not_authenticated"


def test_a_face_is_put_right_from_the_page(service: Service) -> None:
    """R14, R32: with the application's word that the person proved another factor just now, and not without."""
    service.account()
    path = "/v1/accounts/anna/privacy-link"
    now = service.clock().isoformat()
    wanted = {"scenario": "login", "return_url": "https://shop.example/done", "reauthenticated_at": now}
    minted = service.call("POST", path, json={"renewal": wanted})
    assert minted.status_code == 201, minted.text
    told = dict(parse_qsl(urlsplit(minted.json()["privacy_url"]).fragment))
    assert told["flow"] == minted.json()["flow_id"]
    assert Page(service, told["token"]).login()["stance"] == "never"
    headers = {"Authorization": f"Bearer {told['renewal']}"}
    begun = service.http.post(f"/v1/flows/{told['flow']}/begin", headers=headers)
    assert (begun.status_code, begun.json()["purpose"]) == (200, "enrol")

    service.clock.forward(301)
    assert code(service.call("POST", path, json={"renewal": wanted})) == "reauthentication_required"
    elsewhere = wanted | {"return_url": "https://evil.example/", "reauthenticated_at": service.clock().isoformat()}
    assert service.call("POST", path, json={"renewal": elsewhere}).status_code == 422
    assert service.call("POST", path).json()["flow_id"] is None


def test_no_other_token_opens_it(service: Service) -> None:
    """R53: not an API key, not an unopened link; and a page's token opens nothing else."""
    service.account()
    unopened = link(service)
    for token in (service.secrets["application"], unopened, "fv_" + 64 * "0", ""):
        headers = {"Authorization": f"Bearer {token}"}
        assert code(service.http.get("/v1/privacy", headers=headers)) == "not_authenticated"
    page = Page(service, unopened)
    headers = {"Authorization": f"Bearer {page.token}"}
    assert code(service.http.get("/v1/accounts/anna", headers=headers)) == "not_authenticated"


def test_only_the_application_mints_and_only_its_own(service: Service) -> None:
    service.account()
    path = "/v1/accounts/anna/privacy-link"
    for role in ("privacy", "operator", "auditor"):
        assert code(service.call("POST", path, role=role)) == "not_allowed"
    assert code(service.call("POST", path, role=OTHER_TENANT)) == "unknown_account"


def test_who_made_a_link_is_on_record(service: Service) -> None:
    """R49: it acts as the person, so whoever made it is known."""
    service.account()
    link(service)
    (told,) = service.call("GET", "/v1/admin/audit?event=application:privacy:linked", role="auditor").json()[
        "records"
    ]
    assert told["actor"].startswith("apikey:")
    assert told["subject"] is not None


def test_agreeing_and_withdrawing_there_is_real(page: Page) -> None:
    """R28, R31, R32: the ledger, the receipts and the log say it as for any other way."""
    assert page.login()["stance"] == "never"
    assert page.agree().json()["state"] == "given"
    agreed = page.login()
    assert (agreed["stance"], agreed["version"]) == ("agreed", 1)
    assert page.ask("POST", "/withdraw", json={"scenario": "login"}).json()["receipt"]
    assert page.login()["stance"] == "withdrawn"
    assert len(page.ask("GET", "/receipts").json()["receipts"]) == 3
    log = page.service.call("GET", "/v1/admin/audit", role="auditor").json()["records"]
    actors = {one["actor"] for one in log if one["event"].startswith("person:consent")}
    assert actors == {"person:privacy-page"}


def test_a_material_change_asks_again(page: Page) -> None:
    """R34: at its effective time, not before."""
    page.agree()
    later = (page.service.clock() + timedelta(minutes=5)).isoformat()
    body = {"notices": {"en": "New words."}, "material": True, "effective_at": later}
    page.service.call("POST", "/v1/admin/scenarios/login/notices", role="privacy", json=body)
    assert page.login()["stance"] == "agreed"
    page.service.clock.forward(301)
    asked = page.login()
    assert (asked["stance"], asked["version"], asked["notice"]["version"]) == ("ask_again", 1, 2)
    page.answer("refused")
    again = page.login()
    assert again == asked | {"declined": 2}
    page.agree()
    assert (page.login()["stance"], page.login()["declined"]) == ("agreed", None)
    export = page.ask("GET", "/export").json()["export"]
    told = [(one["event"], one["scenario"]) for one in export["activity"] if "consent" in one["event"]]
    assert told[1] == ("person:consent:refused", "login")
    assert [one["record"]["event"]["event_state"] for one in export["consents"]] == ["given", "refused", "renewed"]


def test_a_pause_and_its_end(page: Page) -> None:
    page.agree()
    assert page.ask("PUT", "/restriction", json={"restricted": True}).json()["restricted_at"] is not None
    assert page.login()["stance"] == "agreed"
    assert page.ask("PUT", "/restriction", json={"restricted": False}).json()["restricted_at"] is None


def test_the_export_is_there_in_both_forms(page: Page) -> None:
    page.agree()
    assert page.ask("GET", "/export").json()["export"]["account"]["account_id"] == "anna"
    assert page.ask("GET", "/export?form=html").text.startswith("<!doctype html>")


def test_everything_goes_when_the_person_says_so(page: Page) -> None:
    """R39: and the page with it."""
    page.agree()
    assert code(page.ask("POST", "/close", json={"everything": False})) == "invalid_request"
    assert page.ask("POST", "/close", json={"everything": True}).json()["receipt"]
    assert code(page.ask("GET")) == "not_authenticated"
    assert code(page.service.call("GET", "/v1/accounts/anna")) == "unknown_account"


def test_another_persons_page_shows_another_person(page: Page) -> None:
    page.agree()
    page.service.account("ben")
    other = Page(page.service, link(page.service, "ben"))
    assert other.login()["stance"] == "never"
    assert other.ask("GET").json()["activity"] == []
