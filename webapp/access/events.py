"""The events of the page: Gradio's queue carries them all, so what each may do is asked where each is called."""

from typing import Any

import gradio as gr

from db.store import Store
from webapp.access.callers import Role, caller_of_event
from webapp.access.gate import address_of
from webapp.access.rules import EVENTS
from workers.accounts import note
from workers.context import get_store


class GuardedBlocks(gr.Blocks):
    """Gradio's Blocks, in which every event takes the role that the table of rules names for its function."""

    async def call_function(
        self,
        block_fn: Any,
        processed_input: list[Any],
        iterator: Any = None,
        requests: Any = None,
        *others: Any,
        **named: Any,
    ) -> Any:
        """Call the function behind an event, as Gradio does, if its caller may. Raises gr.Error, shown on the page."""
        if iterator is None:  # else it goes on with what was begun
            function = (self.fns[block_fn] if isinstance(block_fn, int) else block_fn).fn
            request = requests[0] if isinstance(requests, list) else requests
            if function is not None:
                _admit(get_store(), event_name(function), request)
        return await super().call_function(block_fn, processed_input, iterator, requests, *others, **named)


def event_name(function: Any) -> str:
    """How the table of rules names a function."""
    return f"{function.__module__}.{function.__qualname__}"


def _admit(store: Store, name: str, request: gr.Request) -> None:
    caller = caller_of_event(request)
    role = EVENTS.get(name)
    if role is None:
        raise gr.Error(f"No rule says who may do this ({name}). This is a defect of the page: please report it.")
    if caller.role < role:
        raise gr.Error(
            f"This takes the role {role.name.lower()}, and {caller.name} is {caller.role.name.lower()}. "
            "Ask an admin to do it, or to change your role."
        )
    if role > Role.VIEWER and caller.via != "local":
        project = request.query_params.get("project") or "default"
        address = address_of(request.request)
        note(store, user_name=caller.name, via=caller.via, address=address, action=name, object=f"project {project}")
