"""A browser, and inspectors as a user starts them: the command in a process of its own."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.view import scenes

ROOT = Path(__file__).parents[2]
CHROMIUM = os.environ.get("SIGHTLINE_CHROMIUM", "/usr/bin/chromium")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 120_000  # milliseconds; the machine may be busy with other things


@pytest.fixture(scope="session")
def playwright() -> Any:
    """What drives Chromium, or a reason to skip."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no Chromium at {CHROMIUM}; name another with SIGHTLINE_CHROMIUM")
    pytest.importorskip("gradio", reason="gradio is not installed")
    return pytest.importorskip("playwright.sync_api", reason="playwright is not installed")


@pytest.fixture(scope="module")  # while it is open, no other test of the process can run an event loop of its own
def browser(playwright: Any) -> Iterator[Any]:
    """Chromium."""
    with playwright.sync_playwright() as tools:
        chromium = tools.chromium.launch(executable_path=CHROMIUM, args=list(QUIET), timeout=PATIENCE)
        yield chromium
        chromium.close()


class Tab:
    """A page of the browser that notes what goes wrong on it, and every address it asks."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.asked: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda said: said.type in ("error", "warning") and self.complaints.append(said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (self.complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: self.asked.append(request.url))

    def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))


@pytest.fixture
def tab(browser: Any) -> Iterator[Callable[..., Tab]]:
    """Opens an address in a page of its own."""
    with ExitStack() as stack:

        def opened(address: str, width: int = 1440, height: int = 900, scheme: str = "light") -> Tab:
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
            stack.callback(context.close)
            made = Tab(context.new_page())
            made.page.goto(address)
            return made

        yield opened


@contextmanager
def running(*arguments: str, folder: Path) -> Iterator[str]:
    """The address of an inspector that runs with these arguments in a folder."""
    command = [sys.executable, "-m", "sightline.cli.main", "view", *arguments, "--no-browser", "--port", "0"]
    variables = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    said: queue.Queue[str] = queue.Queue()
    with subprocess.Popen(
        command, cwd=folder, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        reader = threading.Thread(target=_listen, args=(process.stdout, said), daemon=True)
        reader.start()
        try:
            yield _address(said)
        finally:
            process.terminate()
            process.wait(60)
            reader.join(60)


def _listen(stream: Any, said: queue.Queue[str]) -> None:
    for line in stream:
        said.put(line)
    said.put("")


def _address(said: queue.Queue[str]) -> str:
    heard = []
    while line := said.get(timeout=PATIENCE / 1000):
        heard.append(line)
        if line.startswith("inspector"):
            return line.split()[1]
    raise AssertionError(f"the inspector ended: {''.join(heard)}")


@pytest.fixture(scope="session")
def scored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Scenes scored strictly and officially, and the verdicts of their judge."""
    return scenes.scored(tmp_path_factory.mktemp("scenes"))


@pytest.fixture(scope="session")
def single(playwright: Any, scored: tuple[Path, Path, Path]) -> Iterator[str]:
    """The address of an inspector of one result with its judge."""
    strict, _, verdicts = scored
    recall = ("--judge-cache", verdicts.name, "--reward", "tests.view.scenes:STRICT")
    with running(strict.name, *recall, folder=strict.parent) as address:
        yield address


@pytest.fixture(scope="session")
def double(playwright: Any, scored: tuple[Path, Path, Path]) -> Iterator[str]:
    """The address of an inspector of two variants beside each other."""
    strict, official, _ = scored
    with running(strict.name, "--beside", official.name, folder=strict.parent) as address:
        yield address


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: SIGHTLINE_SCREENSHOTS (docs/img rewrites the documentation's), else a passing folder."""
    folder = os.environ.get("SIGHTLINE_SCREENSHOTS")
    return ROOT / folder if folder else tmp_path_factory.mktemp("screenshots")
