"""Who may do what, as one table: the one of docs/security.md, against the code and against what REST answers."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from db.accounts.members import set_members
from db.defects.kinds import add_kind
from db.projects.projects import add_project
from db.tables.core import TuningRun
from db.training.prompt_versions import activate, active_version, add_version
from tests.conftest import Installation
from tests.db.making import make_run
from tests.pictures import png
from tests.webapp.access.test_rules import TABLE
from webapp.access.callers import Scope
from webapp.access.permissions import LEAST_ROLE, REACH, Permission
from webapp.server import build_api
from workers.accounts.managing import TokenReach, make_token, make_user
from workers.images.correcting import mark_normal
from workers.images.intake import add_upload

DOCUMENT = (Path(__file__).parents[3] / "docs/security.md").read_text()
ROW = re.compile(r"^\| ([a-z ]+) \| [^|]+ \| (nobody|viewer|annotator|admin) \| ([a-z, ]+) \|$", re.MULTILINE)
# Permission → the least role, and the scopes that reach to it.
WHO_MAY = {name: (role, scopes.split(", ")) for name, role, scopes in ROW.findall(DOCUMENT)}

ROLES = ["nobody", "viewer", "annotator", "admin"]
SCOPES = ["line", "read", "annotate", "all"]
# The role of each user, who is called by the one in the installation, in each project; nobody: they don't see it.
PROJECTS = {
    "open": {"viewer": "viewer", "annotator": "annotator", "admin": "admin"},
    "member": {"viewer": "admin", "annotator": "viewer", "admin": "admin"},
    "closed": {"viewer": "nobody", "annotator": "nobody", "admin": "admin"},
}
IN_A_PROJECT = {"read", "upload", "inspect", "annotate", "train", "settings"}
IN_THE_INSTALLATION = {"installation", "users", "account"}
IDS = ("project_id", "image_id", "run_id", "version_id", "kind_id")
# What the parser takes and the work refuses, so that who gets past the rights changes nothing.
FORMS = {
    "POST /api/v1/images": "files",
    "POST /api/v1/inspect": "files",
    "POST /api/v1/import": "files",
    "POST /api/v1/prompts/import": "file",
    "POST /api/v1/models/files": "file",
}
BODIES: dict[str, dict[str, Any]] = {
    "PATCH /api/v1/projects/{project_id}": {"name": ""},
    "PUT /api/v1/threshold": {"threshold": 0.5},
    "POST /api/v1/defects": {"name": ""},
    "POST /api/v1/prompts/published": {"tuned_on": "visa"},
}


@dataclass(frozen=True)
class World:
    """A user of every role, a token of every scope for each, and an image, a run and a version in every project."""

    installation: Installation
    client: TestClient
    tokens: dict[tuple[str, str], str]
    ids: dict[str, dict[str, int]]

    def call(self, endpoint: str, user: str, scope: str, project: str) -> Response:
        """Ask for an endpoint on the things of a project, with a user's token of a scope (`one`: for `open` alone)."""
        method, path = endpoint.split(" ", 1)
        ids = self.ids[project]
        if endpoint == "DELETE /api/v1/images/{image_id}":
            ids = {**ids, "image_id": self._image(ids["project_id"], 77)}
        if endpoint == "DELETE /api/v1/defects/{kind_id}":
            ids = {**ids, "kind_id": _kind(self.installation, ids["project_id"], f"of {user} with {scope}")}
        for name in re.findall(r"{(\w+)[^}]*}", path):
            path = re.sub(rf"{{{name}[^}}]*}}", str(ids.get(name, 999_999)), path)
        headers = {"authorization": f"Bearer {self.tokens[user, scope]}"}
        sent = sent_with(endpoint, project, ids)
        return self.client.request(method, path, headers=headers, follow_redirects=False, **sent)

    def _image(self, project_id: int, seed: int) -> int:
        return add_upload(self.installation.store, project_id, "part.png", png(seed)).image_id


def sent_with(endpoint: str, project: str, ids: dict[str, int]) -> dict[str, Any]:
    """The query and the body of a request; `with` is a version of yet another project."""
    if endpoint in FORMS:
        return {"files": {FORMS[endpoint]: ("part.txt", b"no image")}, "data": {"project": project}}
    if endpoint.startswith(("GET", "DELETE")) or endpoint == "POST /logout":
        return {"params": {"project": project, "with": 1}}
    if any(f"{{{name}}}" in endpoint for name in IDS):
        return {"json": BODIES.get(endpoint, {})}
    return {"json": {"project": project, **BODIES.get(endpoint, {})}}


@pytest.fixture(scope="module")
def world(shared: Installation) -> World:
    store = shared.store
    users = {role: make_user(store, role, role) for role in ROLES[1:]}
    with store.session() as session:
        ids = {name: {"project_id": add_project(session, name).id} for name in PROJECTS}
        for name in ("member", "closed"):
            roles = {user: role for user, role in PROJECTS[name].items() if role != "nobody" and user != "admin"}
            set_members(session, ids[name]["project_id"], members_only=True, roles=roles)
    for seed, (name, own) in enumerate(ids.items()):
        own["version_id"] = _version(shared, own["project_id"])
        own["kind_id"] = _kind(shared, own["project_id"], "scratch")
        own["image_id"] = add_upload(store, own["project_id"], f"{name}.png", png(seed)).image_id
        annotation = mark_normal(store, own["image_id"])
        with store.session() as session:
            own["run_id"] = make_run(session, own["project_id"], [annotation.id]).id
            session.get_one(TuningRun, own["run_id"]).state = "succeeded"
    reaches = {scope: TokenReach(scope) for scope in SCOPES} | {"one": TokenReach("all", ids["open"]["project_id"])}
    tokens = {
        (name, scope): make_token(store, user.id, scope, reach).secret
        for name, user in users.items()
        for scope, reach in reaches.items()
    }
    return World(shared, TestClient(build_api(accounts=True), raise_server_exceptions=False), tokens, ids)


def _kind(installation: Installation, project_id: int, name: str) -> int:
    with installation.store.session() as session:
        return add_kind(session, project_id, name).id


def _version(installation: Installation, project_id: int) -> int:
    with installation.store.session() as session:
        shipped = active_version(session, installation.project_id)
        assert shipped is not None
        same = ("origin", "blob_key", "sha256", "backbone_name", "backbone_fingerprint")
        version = add_version(session, project_id=project_id, **{name: getattr(shipped, name) for name in same})
        return activate(session, version.id).id


def expected(endpoint: str, user: str, scope: str, project: str) -> int:
    """The status: 200 stands for whatever is answered to someone who may."""
    permission = TABLE[endpoint]
    least, scopes = WHO_MAY[permission]
    there = PROJECTS[project][user] if permission in IN_A_PROJECT else user
    if scope == "one" and permission in IN_THE_INSTALLATION:
        return 403
    if scope == "one" and permission in IN_A_PROJECT and project != "open":
        there = "nobody"
    role = user if there == "nobody" else there
    if (scope != "one" and scope not in scopes) or ROLES.index(role) < ROLES.index(least):
        return 403
    named = not any(f"{{{name}}}" in endpoint for name in IDS)
    if there == "nobody":
        return 403 if scope == "one" and named else 404
    return 200


def seen(answer: Response) -> int:
    """The status, where it is one of refusal: 404 is one alone where the thing itself, or its project, is not seen."""
    if answer.status_code == 404:
        hidden = re.search(r"There is no (project|image|tuning run|prompt version|defect kind) ", answer.text)
        return 404 if hidden else 200
    return answer.status_code if answer.status_code in (401, 403) else 200


def test_the_table_of_the_document_is_that_of_the_code() -> None:
    in_code = {
        permission.value: (
            LEAST_ROLE[permission].name.lower().replace("anyone", "nobody"),
            [scope.value for scope in Scope if permission in REACH[scope]],
        )
        for permission in Permission
    }
    assert in_code == WHO_MAY


def test_every_endpoint_of_the_openapi_file_is_in_the_table() -> None:
    paths = build_api().openapi()["paths"]
    endpoints = {f"{method.upper()} {path}" for path, operations in paths.items() for method in operations}
    assert len(endpoints) > 50 and endpoints <= TABLE.keys()


@pytest.mark.parametrize("endpoint", list(TABLE))
def test_who_may_do_what_where_with_which_token(endpoint: str, world: World) -> None:
    projects = list(PROJECTS) if TABLE[endpoint] in IN_A_PROJECT else ["open"]
    asked = [(user, scope, project) for user in ROLES[1:] for scope in [*SCOPES, "one"] for project in projects]
    wrong = {}
    for one in asked:
        answer = world.call(endpoint, *one)
        if seen(answer) != expected(endpoint, *one):
            wrong[one] = (answer.status_code, expected(endpoint, *one), answer.text[:300])
    assert not wrong
