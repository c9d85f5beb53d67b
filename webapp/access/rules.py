"""The least role for every endpoint of REST and every event of the page: the one place that says who may do what.

What is not listed is refused. tests/webapp/access holds the tables up against what there really is.
"""

import re
from dataclasses import dataclass

from starlette.routing import compile_path

from webapp.access.callers import Role

ANYONE, VIEWER, ANNOTATOR, ADMIN = Role

ENDPOINTS: dict[str, Role] = {
    "GET /healthz": ANYONE,
    "GET /readyz": ANYONE,
    "GET /login": ANYONE,
    "POST /login": ANYONE,
    "POST /logout": ANYONE,
    "GET /metrics": VIEWER,
    "GET /docs": VIEWER,
    "GET /docs/oauth2-redirect": VIEWER,
    "GET /openapi.json": VIEWER,
    "GET /ui/{asked}/{name:path}": VIEWER,
    "GET /api/v1/me": VIEWER,
    "PUT /api/v1/me/password": VIEWER,
    "GET /api/v1/projects": VIEWER,
    "POST /api/v1/projects": ADMIN,
    "GET /api/v1/projects/{project_id}": VIEWER,
    "PATCH /api/v1/projects/{project_id}": ADMIN,
    "POST /api/v1/projects/{project_id}/verdict_rule/trial": ANNOTATOR,
    "GET /api/v1/projects/{project_id}/regions_of_interest": VIEWER,
    "GET /api/v1/projects/{project_id}/region_of_interest": VIEWER,
    "PUT /api/v1/projects/{project_id}/region_of_interest": ADMIN,
    "DELETE /api/v1/projects/{project_id}/region_of_interest": ADMIN,
    "GET /api/v1/images/{image_id}/region_of_interest": VIEWER,
    "GET /api/v1/images": VIEWER,
    "POST /api/v1/images": ANNOTATOR,
    "POST /api/v1/images/samples": ANNOTATOR,
    "POST /api/v1/inspect": ANNOTATOR,
    "POST /api/v1/images/retry": ANNOTATOR,
    "GET /api/v1/images/people": VIEWER,
    "GET /api/v1/images/{image_id}": VIEWER,
    "DELETE /api/v1/images/{image_id}": ANNOTATOR,
    "GET /api/v1/images/{image_id}/display": VIEWER,
    "GET /api/v1/images/{image_id}/thumbnail": VIEWER,
    "GET /api/v1/images/{image_id}/map": VIEWER,
    "GET /api/v1/images/{image_id}/mask": VIEWER,
    "PUT /api/v1/images/{image_id}/annotation": ANNOTATOR,
    "GET /api/v1/runs": VIEWER,
    "POST /api/v1/runs": ANNOTATOR,
    "GET /api/v1/runs/{run_id}": VIEWER,
    "POST /api/v1/runs/{run_id}/cancel": ANNOTATOR,
    "GET /api/v1/prompts": VIEWER,
    "PATCH /api/v1/prompts/{version_id}": ANNOTATOR,
    "POST /api/v1/prompts/{version_id}/activate": ADMIN,
    "GET /api/v1/prompts/{version_id}/comparison": ANNOTATOR,
    "POST /api/v1/prompts/import": ADMIN,
    "GET /api/v1/threshold": VIEWER,
    "PUT /api/v1/threshold": ADMIN,
    "GET /api/v1/export": VIEWER,
    "POST /api/v1/import": ANNOTATOR,
    "POST /api/v1/prompts/published": ADMIN,
    "GET /api/v1/models": VIEWER,
    "POST /api/v1/models": ADMIN,
    "DELETE /api/v1/models/change": ADMIN,
    "POST /api/v1/models/files": ADMIN,
    "GET /api/v1/webhooks": ADMIN,
    "POST /api/v1/webhooks": ADMIN,
    "PATCH /api/v1/webhooks/{webhook_id}": ADMIN,
    "DELETE /api/v1/webhooks/{webhook_id}": ADMIN,
    "GET /api/v1/webhooks/{webhook_id}/messages": ADMIN,
    "GET /api/v1/users": ADMIN,
    "POST /api/v1/users": ADMIN,
    "PATCH /api/v1/users/{user_id}": ADMIN,
    "GET /api/v1/users/{user_id}/tokens": ADMIN,
    "POST /api/v1/users/{user_id}/tokens": ADMIN,
    "DELETE /api/v1/users/{user_id}/tokens/{token_id}": ADMIN,
    "GET /api/v1/audit": ADMIN,
}

# What Gradio's own pages ask of Gradio's own routes; all its other routes are closed, the one that serves files too.
GRADIO: dict[str, Role] = {
    "GET /": VIEWER,
    "GET /config": VIEWER,
    "GET /config/": VIEWER,
    "GET /theme.css": VIEWER,
    "GET /manifest.json": VIEWER,
    "GET /favicon.ico": VIEWER,
    "GET /robots.txt": ANYONE,
    "GET /assets/{path:path}": VIEWER,
    "GET /static/{path:path}": VIEWER,
    "GET /svelte/{path:path}": VIEWER,
    "GET /gradio_api/app_id": VIEWER,
    "GET /gradio_api/info": VIEWER,
    "GET /gradio_api/startup-events": VIEWER,
    "GET /gradio_api/heartbeat/{session_hash}": VIEWER,
    "GET /gradio_api/queue/data": VIEWER,
    "POST /gradio_api/queue/join": VIEWER,
    "POST /gradio_api/run/{api_name}": VIEWER,
    "POST /gradio_api/run/{api_name}/": VIEWER,
    "POST /gradio_api/cancel": VIEWER,
    "POST /gradio_api/reset": VIEWER,
    "POST /gradio_api/upload": ANNOTATOR,
    "GET /gradio_api/upload_progress": ANNOTATOR,
}

# The functions behind the page's events, by module and name; queue/join and run above only carry them.
EVENTS: dict[str, Role] = {
    "webapp.page.layout._header": VIEWER,
    "webapp.texts.labels.Labels._in_language": VIEWER,
    "webapp.page.exchange._import": ANNOTATOR,
    "webapp.page.exchange.build_exchange.<locals>.<lambda>": VIEWER,
    "webapp.page.settings._read": VIEWER,
    "webapp.page.settings._save": ADMIN,
    "webapp.page.settings._rule": VIEWER,
    "webapp.page.depth._read": VIEWER,
    "webapp.page.depth._save": ADMIN,
    "webapp.page.verdict_rule._read": VIEWER,
    "webapp.page.verdict_rule._try": ANNOTATOR,
    "webapp.page.verdict_rule._save": ADMIN,
    "webapp.page.line._read": VIEWER,
    "webapp.page.line._save": ADMIN,
    "webapp.page.settings._backbone": VIEWER,
    "webapp.page.settings._operations": VIEWER,
    "webapp.page.train._show": VIEWER,
    "webapp.page.train._choose": VIEWER,
    "webapp.page.train._compare": ANNOTATOR,
    "webapp.page.train._start": ANNOTATOR,
    "webapp.page.train._cancel": ANNOTATOR,
    "webapp.page.train._activate": ADMIN,
    "webapp.page.train._import": ADMIN,
    "webapp.page.train.build_train.<locals>.<lambda>": VIEWER,
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
    """Who may make a request: `name` is its key in the tables above."""

    name: str
    role: Role


def _compiled() -> dict[str, list[tuple[re.Pattern[str], Rule]]]:
    by_method: dict[str, list[tuple[re.Pattern[str], Rule]]] = {}
    for name, role in (ENDPOINTS | GRADIO).items():
        method, path = name.split(" ", 1)
        by_method.setdefault(method, []).append((compile_path(path)[0], Rule(name, role)))
    return by_method


_COMPILED = _compiled()


def rule_of(method: str, path: str) -> Rule | None:
    """The rule for a request, the first of the tables that fits; None for what is not listed. HEAD is as GET."""
    candidates = _COMPILED.get("GET" if method == "HEAD" else method, [])
    return next((rule for pattern, rule in candidates if pattern.match(path)), None)
