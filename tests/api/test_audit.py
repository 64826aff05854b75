"""What an auditor reads over HTTP."""

import json
from typing import Any

import pytest

from faceauth.audit.merkle import is_consistent, is_included
from faceauth.audit.notes import open_note
from tests.api.conftest import Service


def code(answer: Any) -> str:
    found: str = answer.json()["code"]
    return found


def test_an_auditor_reads_and_proves(service: Service) -> None:
    """R50, R51, R53: records without names, and proofs that hold without us."""
    service.session()
    path = "/v1/admin/audit"
    for role in ("application", "privacy", "operator"):
        assert code(service.call("GET", path, role=role)) == "not_allowed"

    def ask(asked: str = "") -> Any:
        answer = service.call("GET", path + asked, role="auditor")
        assert answer.status_code == 200, answer.text
        return answer.json()

    everything = ask()["records"]
    assert "anna" not in json.dumps(everything)
    first = ask("?limit=1")
    assert first == {"records": everything[:1], "next": everything[0]["seq"]}
    assert ask(f"?after={everything[0]['seq']}")["records"] == everything[1:]
    own = ask("?account=anna")["records"]
    assert own
    assert {one["subject"] for one in own} == {own[0]["subject"]}
    given = ask("?event=person:consent:given")["records"]
    assert [one["event"] for one in given] == ["person:consent:given"]
    assert ask("?account=nobody") == {"records": [], "next": None}

    small = ask("/checkpoint")
    service.account("ben")
    large = ask("/checkpoint")
    assert open_note(large["note"], large["verifier_key"]).root.hex() == large["root"]
    record = ask(f"/proof?seq={given[0]['seq']}")
    assert record["digest"] == given[0]["digest"]
    path_up = [bytes.fromhex(one) for one in record["path"]]
    entry, root = bytes.fromhex(record["digest"]), bytes.fromhex(large["root"])
    assert is_included(entry, given[0]["seq"] - 1, large["size"], path_up, root)
    grown = ask(f"/proof?first={small['size']}&size={large['size']}")
    path_up = [bytes.fromhex(one) for one in grown["path"]]
    assert is_consistent(small["size"], bytes.fromhex(small["root"]), large["size"], root, path_up)


@pytest.mark.parametrize("asked", ["", "?seq=1&first=1", "?seq=0", "?seq=999", "?first=999", "?seq=1&size=999"])
def test_a_proof_of_nothing_is_refused(service: Service, asked: str) -> None:
    answer = service.call("GET", f"/v1/admin/audit/proof{asked}", role="auditor")
    assert (answer.status_code, code(answer)) == (422, "invalid_request")


def test_another_tenant_sees_no_record_of_this_one(service: Service) -> None:
    """R53."""
    with service.installation.data.begin() as conn:
        made = service.installation.apikeys.create(conn, tenant="other", role="auditor", label="")
    service.account("anna")
    headers = {"Authorization": f"Bearer {made.secret}"}
    assert service.http.get("/v1/admin/audit", headers=headers).json()["records"] == []
    answer = service.http.get("/v1/admin/audit/proof?seq=1", headers=headers)
    assert code(answer) == "invalid_request"
