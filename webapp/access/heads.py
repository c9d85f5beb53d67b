"""HEAD is answered wherever GET is: by the same route, without the body."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadAsGet:
    """ASGI middleware: what lies before it sees HEAD, what lies behind sees GET."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the head alone; what would go on is told that nobody listens."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        begun = ended = False

        async def send_head(message: Message) -> None:
            nonlocal begun, ended
            if message["type"] == "http.response.start":
                begun = True
                await send(message)
            elif not ended:
                ended = True
                await send({"type": "http.response.body", "body": b""})

        async def receive_none() -> Message:
            return {"type": "http.disconnect"} if begun else await receive()

        scope["method"] = "GET"
        await self.app(scope, receive_none, send_head)
