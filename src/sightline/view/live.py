"""The inspector in a browser: gradio carries what is asked and answered; nothing leaves this machine.

Annotations are evaluated here, unlike elsewhere: gradio reads those of its listeners.
"""

import os
import socket
from collections.abc import Callable
from typing import Any

from sightline.core.errors import ConfigError, MissingExtra
from sightline.view import pages
from sightline.view.desk import Desk

HOST, PORT = "127.0.0.1", 7870
# gradio evaluates its own templates, hence unsafe-eval; a page may ask this server and nobody else
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {"content-security-policy": POLICY, "referrer-policy": "no-referrer", "x-content-type-options": "nosniff"}
FONTS = ("system-ui", "Segoe UI", "Helvetica", "Arial", "sans-serif")


def serve(desk: Desk, port: int | None = None, ready: Callable[[str], Any] = print) -> None:
    """Serve the page on this machine until the process is told to stop.

    Args:
        desk: answers its pages.
        port: 0 takes a free one; None: 7870, or a free one if that is taken.
        ready: is called with the address as soon as the page can be opened.

    Raises:
        MissingExtra: gradio is not installed.
        ConfigError: the port is taken.
    """
    app = application(desk)
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready(f"http://{HOST}:{listening.getsockname()[1]}")

    with _listening(port) as listening:
        Server(uvicorn.Config(app, log_level="warning", ws="none")).run([listening])


def application(desk: Desk) -> Any:
    """The page as an ASGI application.

    Raises:
        MissingExtra: gradio is not installed.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before gradio reads it
    try:
        import gradio
    except ImportError as error:
        missing = MissingExtra.of("the inspector", "view")
        missing.add_note("A page without a server needs nothing: sightline view FILE --static OUT.html")
        raise missing from error
    from fastapi import FastAPI
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    theme = gradio.themes.Base(font=FONTS, font_mono=("ui-monospace", "DejaVu Sans Mono", "monospace"))
    mounted = gradio.mount_gradio_app(
        app,
        _blocks(desk),
        path="/",
        server_name=HOST,
        footer_links=[],
        theme=theme,
        head=_head(),
        show_error=True,
        ssr_mode=False,
        mcp_server=False,
        enable_monitoring=False,
    )
    # a page of another site cannot get here, neither as itself nor under a name of its own
    return _OfThisPage(TrustedHostMiddleware(mounted, allowed_hosts=[HOST, "localhost"]))


def _blocks(desk: Desk) -> Any:
    import gradio

    # gradio makes them attributes of the component, hence names that it has not
    def open_page(_: Any) -> str:
        return desk.page()

    def find_rollouts(form: Any) -> dict[str, str]:
        return desk.find(form if isinstance(form, dict) else {})

    title = f"{desk.latest.title} · sightline"
    with gradio.Blocks(title=title, analytics_enabled=False, fill_width=True) as blocks:
        gradio.HTML(
            '<p class="soft opening">Reading …</p>',
            elem_id="inspector",
            apply_default_css=False,
            js_on_load=pages.asset("inspector.js"),
            server_functions=[open_page, find_rollouts],
        )
    return blocks


def _head() -> str:
    return f"<style>{pages.render('live.css.j2')}</style><script>{pages.asset('rollout.js')}</script>"


def _listening(port: int | None) -> socket.socket:
    for one in (PORT, 0) if port is None else (port,):
        try:
            return socket.create_server((HOST, one))
        except OSError as error:
            if port is not None:
                raise ConfigError(f"--port {port}: {error.strerror}; 0 takes a free one") from error
    raise ConfigError("no port is free")


class _OfThisPage:
    """An application that answers its own pages only, whose every answer carries some headers."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        from starlette.responses import PlainTextResponse

        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                added = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", ()), *added]}
            await send(message)

        app = self.app
        if scope["type"] == "http" and not _own(dict(scope["headers"]), scope["method"], scope["path"]):
            app = PlainTextResponse("the inspector answers its own pages only", 403)
        await app(scope, receive, sent)


def _own(headers: dict[bytes, bytes], method: str, path: str) -> bool:
    """Whether a request may come from a page of the inspector; browsers say who asks. Nothing is ever uploaded."""
    foreign = headers.get(b"sec-fetch-site", b"none") in (b"cross-site", b"same-site")
    origin = headers.get(b"origin")
    asked = origin is None or origin == b"http://" + headers.get(b"host", b"")
    opened = method == "GET" and headers.get(b"sec-fetch-mode") == b"navigate"  # a link to the page may be anywhere
    return asked and (opened or not foreign) and not path.endswith("/upload")
