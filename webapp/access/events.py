"""The events of the page: Gradio's queue carries them all, so what each may do is asked where each is called."""

from typing import Any

import gradio as gr
from starlette.concurrency import run_in_threadpool

from webapp.access.callers import Role, caller_of_event
from webapp.access.gate import address_of
from webapp.access.refusals import needs_role
from webapp.access.rules import EVENTS
from webapp.page.toasts import refusal
from webapp.texts.translation import translated
from webapp.texts.viewer import viewer_texts
from workers.accounts.managing import note
from workers.context import get_store


class GuardedBlocks(gr.Blocks):
    """Gradio's Blocks, in which every event takes the role that the table of rules names for its function."""

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
    role = EVENTS.get(name)
    if role is None:
        why = f"No rule says who may do this ({name}). This is a defect of the page: please report it."
        raise refusal(translated(viewer_texts(event), why))
    if caller.role < role:
        raise refusal(needs_role(viewer_texts(event), caller, role))
    if role > Role.VIEWER and request is not None:
        project = request.query_params.get("project") or "default"
        entry = {"user_name": caller.name, "via": caller.via, "address": address_of(request), "action": name}
        await run_in_threadpool(note, get_store(), **entry, object=f"project {project}")
