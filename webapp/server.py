"""The web application: REST under `/api/v1`, health, OpenAPI at `/docs`, the page at `/`, and the gate before all."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from starlette.routing import compile_path

from db.projects.projects import ensure_project
from settings import Settings, get_settings
from webapp.access import login
from webapp.access.gate import Gate
from webapp.access.headers import SecurityHeaders
from webapp.access.heads import HeadAsGet
from webapp.api import (
    annotations,
    audit,
    defects,
    export,
    golden,
    health,
    image_uploads,
    images,
    imports,
    inspect,
    interest,
    maps,
    me,
    members,
    metrics,
    models,
    projects,
    prompts,
    runs,
    thresholds,
    users,
    verdict_rule,
    webhooks,
)
from webapp.api.caching import RevalidatedJson
from webapp.api.problems import add_problem_handlers, problem
from webapp.api.request_log import RequestLog
from webapp.page import modules
from webapp.page.gradio_import import without_proxies, without_stubs
from webapp.page.uploads import Sweeper, use_uploads_folder
from webapp.readiness_watch import watch
from workers.broker import dispatch
from workers.context import get_store
from workers.projects.shipped_prompts import DEFAULT_PROJECT

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def build_app(settings: Settings, *, accounts: bool | None = None) -> FastAPI:
    """REST and the page, ready to be served. The database is expected to be migrated.

    Args:
        settings: of this process.
        accounts: whether people have to sign in; None: what the settings say of a loopback address.
    """
    accounts = settings.auth == "on" if accounts is None else accounts
    return _mount_page(build_api(settings, accounts=accounts, check_host=True), settings)


def build_api(settings: Settings | None = None, *, accounts: bool = False, check_host: bool = False) -> FastAPI:
    """REST alone.

    Args:
        settings: None: those of this process.
        accounts: whether people have to sign in.
        check_host: without accounts, answer only under the names of this machine itself.
    """
    settings = settings or get_settings()
    app = FastAPI(
        title="AnomalyLoop",
        description=__doc__,
        lifespan=_lifespan,
        redoc_url=None,
        form_limits={"max_files": settings.max_files},
    )
    app.state.accounts = accounts
    add_problem_handlers(app)
    app.add_middleware(RevalidatedJson)
    app.add_middleware(HeadAsGet)
    app.add_middleware(Gate, settings=settings, accounts=accounts, check_host=check_host, unknown=_unknown)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestLog)
    app.include_router(health.router)
    app.include_router(metrics.router)
    app.include_router(login.router)
    app.include_router(modules.router)
    subjects = (
        projects,
        members,
        image_uploads,
        inspect,
        images,
        maps,
        annotations,
        defects,
        golden,
        runs,
        prompts,
        models,
        thresholds,
        verdict_rule,
        interest,
        export,
        imports,
        webhooks,
    )
    for subject in (*subjects, me, users, audit):
        app.include_router(subject.router, prefix="/api/v1")
    # After all others: without it, what is unknown under /api would get the page's answer, which is not a problem.
    app.add_api_route("/api/{path:path}", _unknown, methods=_METHODS, include_in_schema=False)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    with get_store().session() as session:
        ensure_project(session, DEFAULT_PROJECT)  # uploads need not wait for the model
    dispatch.start()
    sweeper = Sweeper(get_settings())
    sweeper.start()
    watch.start(get_store())
    try:
        yield
    finally:
        watch.stop()
        sweeper.stop()
        dispatch.stop()


async def _unknown(request: Request) -> Response:
    path, method = request.url.path, request.method
    allowed = _methods_of(request.app, path)
    if allowed:
        detail = f"{path} does not take {method}; it takes {allowed}."
        return problem(request, 405, "method-not-allowed", "Method not allowed", detail, headers={"Allow": allowed})
    return problem(
        request, 404, "unknown-path", "Unknown path", f"There is nothing at {path}. See /docs for what there is."
    )


def _methods_of(app: FastAPI, path: str) -> str:
    found: set[str] = set()
    for template, operations in app.openapi()["paths"].items():
        if compile_path(template)[0].match(path):
            found |= {method.upper() for method in operations}
    return ", ".join(sorted(found))


def _mount_page(app: FastAPI, settings: Settings) -> FastAPI:
    use_uploads_folder(settings)
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported
    with without_stubs(), without_proxies():
        import gradio as gr

        from webapp.page.layout import build_page
        from webapp.page.theme import page_look

    return gr.mount_gradio_app(
        app,
        build_page(),
        path="/",
        server_name=settings.host,
        server_port=settings.port,
        footer_links=[],
        run_history=False,
        max_file_size=round(max(settings.max_upload_mb, settings.max_import_mb) * 1e6),
        **page_look(),
    )
