"""The inspector in a browser: gradio carries what is asked and answered; nothing leaves this machine.

Annotations are evaluated here, unlike elsewhere: gradio reads those of its listeners.
"""

import os
import socket
from collections.abc import Callable
from typing import Any

from sightline.core.errors import ConfigError, MissingExtra
from sightline.view import pages
from sightline.view.inspector import Inspector

HOST, PORT = "127.0.0.1", 7870
# gradio evaluates its own templates, hence unsafe-eval; a page may ask this server and nobody else
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {"content-security-policy": POLICY, "referrer-policy": "no-referrer", "x-content-type-options": "nosniff"}
FONTS = ("system-ui", "Segoe UI", "Helvetica", "Arial", "sans-serif")


def serve(inspector: Inspector, port: int | None = None, ready: Callable[[str], Any] = print) -> None:
    """Serve the page on this machine until the process is told to stop.

    Args:
        inspector: what it shows.
        port: 0 takes a free one; None: 7870, or a free one if that is taken.
        ready: is called with the address as soon as the page can be opened.

    Raises:
        MissingExtra: gradio is not installed.
        ConfigError: the port is taken.
    """
    app = application(inspector)
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready(f"http://{HOST}:{listening.getsockname()[1]}")

    with _listening(port) as listening:
        Server(uvicorn.Config(app, log_level="warning", ws="none")).run([listening])


def application(inspector: Inspector) -> Any:
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
        _blocks(inspector),
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
    # a page of another site cannot get here under a name of its own
    return _WithHeaders(TrustedHostMiddleware(mounted, allowed_hosts=[HOST, "localhost"]))


def _blocks(inspector: Inspector) -> Any:
    import gradio

    def find(event: gradio.EventData) -> tuple[str, str, str]:
        answer = inspector.find(event.form)
        return answer.listing, answer.rollout, answer.group

    def open_(event: gradio.EventData) -> tuple[str, str]:
        return inspector.open(event.row)

    quiet: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    plain: dict[str, Any] = {"apply_default_css": False, "js_on_load": None}
    with gradio.Blocks(title=f"{inspector.title} · sightline", analytics_enabled=False, fill_width=True) as blocks:
        shell = gradio.HTML(
            inspector.shell(), elem_id="shell", apply_default_css=False, js_on_load=pages.asset("inspector.js")
        )
        if inspector.source.results is not None:
            first = inspector.find({})
            with gradio.Row(elem_id="rollouts"):
                listing = gradio.HTML(first.listing, elem_id="listing", **plain)
                rollout = gradio.HTML(first.rollout, elem_id="rollout", **plain)
                group = gradio.HTML(first.group, elem_id="group", **plain)
            shell.find(find, None, [listing, rollout, group], **quiet)
            shell.open(open_, None, [rollout, group], **quiet)
        gradio.HTML(inspector.overview(), elem_id="overview", **plain)
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


class _WithHeaders:
    """An application whose every answer carries some headers."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                added = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", ()), *added]}
            await send(message)

        await self.app(scope, receive, sent)
