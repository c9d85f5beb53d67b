"""The events of the page: Gradio's queue carries them all, so what each may do is asked where each is called."""

from typing import Any

import gradio as gr
from starlette.concurrency import run_in_threadpool

from webapp.access.callers import Caller, Role, caller_of_event
from webapp.access.gate import address_of
from webapp.access.permissions import IN_A_PROJECT, LEAST_ROLE, Permission, require
from webapp.access.refusals import Refused
from webapp.access.rules import EVENTS
from webapp.page.project import project_name, shown_project
from webapp.page.toasts import refusal
from webapp.texts.translation import translated
from webapp.texts.viewer import viewer_texts
from workers.accounts.managing import note
from workers.context import get_store


class GuardedBlocks(gr.Blocks):
    """Gradio's Blocks, in which every event takes what the table of rules says for its function."""

    async def process_api(
        self,
        block_fn: Any,
        inputs: list[Any],
        state: Any = None,
        request: Any = None,
        iterator: Any = None,
        *others: Any,
        **named: Any,
    ) -> dict[str, Any]:
        """Carry out an event, as Gradio does, if its caller may. Raises gr.Error, shown on the page."""
        if iterator is None:  # else it goes on with what was begun
            function = (self.fns[block_fn] if isinstance(block_fn, int) else block_fn).fn
            if function is not None:
                await _admit(event_name(function), request[0] if isinstance(request, list) else request)
        return await super().process_api(block_fn, inputs, state, request, iterator, *others, **named)


def event_name(function: Any) -> str:
    """How the table of rules names a function."""
    return f"{function.__module__}.{function.__qualname__}"


async def _admit(name: str, event: gr.Request) -> None:
    caller, request = caller_of_event(event), event.request
    if caller.via == "local":
        return
    permission = EVENTS.get(name)
    if permission is None:
        why = f"No rule says who may do this ({name}). This is a defect of the page: please report it."
        raise refusal(translated(viewer_texts(event), why))
    try:
        await run_in_threadpool(_require, caller, permission, event)
    except Refused as error:
        raise refusal(error.said(viewer_texts(event))) from None
    if LEAST_ROLE[permission] > Role.VIEWER and request is not None:
        entry = {"user_name": caller.name, "via": caller.via, "address": address_of(request), "action": name}
        await run_in_threadpool(note, get_store(), **entry, object=f"project {project_name(event)}")


def _require(caller: Caller, permission: Permission, event: gr.Request) -> None:
    """In the project that the page shows; where the caller sees none, the event's function says so."""
    role = caller.role
    if permission in IN_A_PROJECT and not caller.sees_all:
        project = shown_project(event)
        role = caller.role_asked_by(project.id if project else None)
    require(caller, permission, role)
