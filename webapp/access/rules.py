"""What every endpoint of REST and every event of the page takes: the one place that says who may do what.

Who has a permission is in `permissions.py`. What is not listed is refused. tests/webapp/access holds the tables up
against what there really is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from starlette.routing import compile_path

from webapp.access.permissions import Permission as P

ENDPOINTS: dict[str, P] = {
    "GET /healthz": P.OPEN,
    "GET /readyz": P.OPEN,
    "GET /login": P.OPEN,
    "POST /login": P.OPEN,
    "POST /logout": P.OPEN,
    "GET /metrics": P.OVERVIEW,
    "GET /docs": P.BASIC,
    "GET /docs/oauth2-redirect": P.BASIC,
    "GET /openapi.json": P.BASIC,
    "GET /ui/{asked}/{name:path}": P.BASIC,
    "GET /api/v1/me": P.BASIC,
    "PUT /api/v1/me/password": P.ACCOUNT,
    "GET /api/v1/projects": P.OVERVIEW,
    "POST /api/v1/projects": P.INSTALLATION,
    "GET /api/v1/projects/{project_id}": P.READ,
    "PATCH /api/v1/projects/{project_id}": P.SETTINGS,
    "GET /api/v1/projects/{project_id}/members": P.SETTINGS,
    "PUT /api/v1/projects/{project_id}/members": P.SETTINGS,
    "POST /api/v1/projects/{project_id}/verdict_rule/trial": P.ANNOTATE,
    "GET /api/v1/projects/{project_id}/regions_of_interest": P.READ,
    "GET /api/v1/projects/{project_id}/region_of_interest": P.READ,
    "PUT /api/v1/projects/{project_id}/region_of_interest": P.SETTINGS,
    "DELETE /api/v1/projects/{project_id}/region_of_interest": P.SETTINGS,
    "GET /api/v1/images": P.READ,
    "POST /api/v1/images": P.UPLOAD,
    "POST /api/v1/images/samples": P.ANNOTATE,
    "POST /api/v1/inspect": P.INSPECT,
    "POST /api/v1/images/retry": P.ANNOTATE,
    "GET /api/v1/images/people": P.READ,
    "GET /api/v1/images/{image_id}": P.READ,
    "DELETE /api/v1/images/{image_id}": P.ANNOTATE,
    "GET /api/v1/images/{image_id}/display": P.READ,
    "GET /api/v1/images/{image_id}/thumbnail": P.READ,
    "GET /api/v1/images/{image_id}/map": P.READ,
    "GET /api/v1/images/{image_id}/mask": P.READ,
    "GET /api/v1/images/{image_id}/region_of_interest": P.READ,
    "PUT /api/v1/images/{image_id}/annotation": P.ANNOTATE,
    "PATCH /api/v1/images/{image_id}/annotation": P.ANNOTATE,
    "PUT /api/v1/images/{image_id}/golden": P.ANNOTATE,
    "GET /api/v1/defects": P.READ,
    "POST /api/v1/defects": P.SETTINGS,
    "PATCH /api/v1/defects/{kind_id}": P.SETTINGS,
    "DELETE /api/v1/defects/{kind_id}": P.SETTINGS,
    "GET /api/v1/defects/counts": P.READ,
    "GET /api/v1/defects/counts.csv": P.READ,
    "GET /api/v1/runs": P.READ,
    "POST /api/v1/runs": P.TRAIN,
    "GET /api/v1/runs/{run_id}": P.READ,
    "POST /api/v1/runs/{run_id}/cancel": P.TRAIN,
    "GET /api/v1/prompts": P.READ,
    "PATCH /api/v1/prompts/{version_id}": P.TRAIN,
    "POST /api/v1/prompts/{version_id}/activate": P.SETTINGS,
    "POST /api/v1/prompts/{version_id}/approve": P.TRAIN,
    "POST /api/v1/prompts/{version_id}/decline": P.TRAIN,
    "GET /api/v1/prompts/{version_id}/comparison": P.TRAIN,
    "POST /api/v1/prompts/import": P.SETTINGS,
    "GET /api/v1/threshold": P.READ,
    "PUT /api/v1/threshold": P.SETTINGS,
    "GET /api/v1/export": P.READ,
    "POST /api/v1/import": P.ANNOTATE,
    "POST /api/v1/prompts/published": P.SETTINGS,
    "GET /api/v1/models": P.OVERVIEW,
    "POST /api/v1/models": P.INSTALLATION,
    "DELETE /api/v1/models/change": P.INSTALLATION,
    "POST /api/v1/models/files": P.INSTALLATION,
    "GET /api/v1/webhooks": P.INSTALLATION,
    "POST /api/v1/webhooks": P.INSTALLATION,
    "PATCH /api/v1/webhooks/{webhook_id}": P.INSTALLATION,
    "DELETE /api/v1/webhooks/{webhook_id}": P.INSTALLATION,
    "GET /api/v1/webhooks/{webhook_id}/messages": P.INSTALLATION,
    "POST /api/v1/webhooks/{webhook_id}/test": P.INSTALLATION,
    "GET /api/v1/users": P.USERS,
    "POST /api/v1/users": P.USERS,
    "PATCH /api/v1/users/{user_id}": P.USERS,
    "GET /api/v1/users/{user_id}/tokens": P.USERS,
    "POST /api/v1/users/{user_id}/tokens": P.USERS,
    "DELETE /api/v1/users/{user_id}/tokens/{token_id}": P.USERS,
    "GET /api/v1/audit": P.USERS,
    "GET /api/v1/audit/export": P.USERS,
}

# What Gradio's own pages ask of Gradio's own routes; all its other routes are closed, the one that serves files too.
GRADIO: dict[str, P] = {
    "GET /": P.PAGE,
    "GET /config": P.PAGE,
    "GET /config/": P.PAGE,
    "GET /theme.css": P.PAGE,
    "GET /manifest.json": P.PAGE,
    "GET /favicon.ico": P.PAGE,
    "GET /robots.txt": P.OPEN,
    "GET /assets/{path:path}": P.PAGE,
    "GET /static/{path:path}": P.PAGE,
    "GET /svelte/{path:path}": P.PAGE,
    "GET /gradio_api/app_id": P.PAGE,
    "GET /gradio_api/info": P.PAGE,
    "GET /gradio_api/startup-events": P.PAGE,
    "GET /gradio_api/heartbeat/{session_hash}": P.PAGE,
    "GET /gradio_api/queue/data": P.PAGE,
    "POST /gradio_api/queue/join": P.PAGE,
    "POST /gradio_api/run/{api_name}": P.PAGE,
    "POST /gradio_api/run/{api_name}/": P.PAGE,
    "POST /gradio_api/cancel": P.PAGE,
    "POST /gradio_api/reset": P.PAGE,
    "POST /gradio_api/upload": P.PAGE_FILES,
    "GET /gradio_api/upload_progress": P.PAGE_FILES,
}

# The functions behind the page's events, by module and name; queue/join and run above only carry them.
EVENTS: dict[str, P] = {
    "webapp.page.layout._header": P.OVERVIEW,
    "webapp.texts.labels.Labels._in_language": P.BASIC,
    "webapp.page.exchange._import": P.ANNOTATE,
    "webapp.page.exchange.build_exchange.<locals>.<lambda>": P.BASIC,
    "webapp.page.settings._read": P.READ,
    "webapp.page.settings._save": P.SETTINGS,
    "webapp.page.settings._rule": P.BASIC,
    "webapp.page.depth._read": P.READ,
    "webapp.page.depth._save": P.SETTINGS,
    "webapp.page.approval._read": P.READ,
    "webapp.page.approval._save": P.SETTINGS,
    "webapp.page.verdict_rule._read": P.READ,
    "webapp.page.verdict_rule._try": P.ANNOTATE,
    "webapp.page.verdict_rule._save": P.SETTINGS,
    "webapp.page.line._read": P.READ,
    "webapp.page.line._save": P.SETTINGS,
    "webapp.page.settings._backbone": P.READ,
    "webapp.page.settings._operations": P.READ,
    "webapp.page.train._show": P.READ,
    "webapp.page.train._choose": P.READ,
    "webapp.page.train._compare": P.TRAIN,
    "webapp.page.train._start": P.TRAIN,
    "webapp.page.train._cancel": P.TRAIN,
    "webapp.page.train._activate": P.SETTINGS,
    "webapp.page.train._import": P.SETTINGS,
    "webapp.page.train.build_train.<locals>.<lambda>": P.BASIC,
}

# Requests with a body that may be large, and the setting that says how large; all others have JSON of a megabyte.
BODIES: dict[str, str] = {
    "POST /api/v1/images": "max_import_mb",
    "POST /api/v1/inspect": "max_import_mb",
    "POST /api/v1/import": "max_import_mb",
    "POST /gradio_api/upload": "max_import_mb",
    "PUT /api/v1/images/{image_id}/annotation": "max_upload_mb",
    "PUT /api/v1/projects/{project_id}/region_of_interest": "max_upload_mb",
    "POST /api/v1/prompts/import": "max_upload_mb",
    "POST /api/v1/models/files": "max_import_mb",
}


@dataclass(frozen=True)
class Rule:
    """What a request takes.

    Attributes:
        name: its key in the tables above.
        permission: what they say there.
        ids: what its path has in the place of each name in braces.
    """

    name: str
    permission: P
    ids: Mapping[str, str] = field(default_factory=dict)


def _compiled() -> dict[str, list[tuple[re.Pattern[str], Rule]]]:
    by_method: dict[str, list[tuple[re.Pattern[str], Rule]]] = {}
    for name, permission in (ENDPOINTS | GRADIO).items():
        method, path = name.split(" ", 1)
        by_method.setdefault(method, []).append((compile_path(path)[0], Rule(name, permission)))
    return by_method


_COMPILED = _compiled()


def rule_of(method: str, path: str) -> Rule | None:
    """The rule for a request, the first of the tables that fits; None for what is not listed. HEAD is as GET."""
    for pattern, rule in _COMPILED.get("GET" if method == "HEAD" else method, []):
        if match := pattern.match(path):
            return replace(rule, ids=match.groupdict())
    return None
