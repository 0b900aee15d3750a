"""The page of the examples in a real browser: it works, is accessible, and needs no network.

Needs Debian's `chromium` and `chromium-driver`, which are installed if possible.
"""

from __future__ import annotations

import importlib.resources
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from tools.examples.build import build
from tools.examples.listing import load_examples
from tools.examples.report.site import write_site
from unit.examples.test_report_page import CATALOG, FACTS, GRAPH, LISTED, found

PROGRAMS = ("chromium", "chromedriver")
PACKAGES = ("chromium", "chromium-driver", "graphviz")
NAMES = ("custom_layer", "attention", "additive_attention", "dense", "gan")
OPTIONS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-quic"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--window-size=1280,900"),
)
AXE = "axe.run().then(arguments[arguments.length - 1])"


def _there() -> bool:
    return all(shutil.which(program) for program in PROGRAMS)


def _install(lock: Path) -> None:
    """Install what is missing, in one process at a time."""
    import fcntl

    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not _there():
            apt = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            for words in (("update", "-qq"), ("install", "-y", "-qq", *PACKAGES)):
                subprocess.run(("apt-get", *words), env=apt, check=True, capture_output=True)


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    if not _there():
        if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("apt-get"):
            pytest.skip(f"needs a browser: apt-get install {' '.join(PACKAGES)}")
        _install(tmp_path_factory.getbasetemp().parent / "apt.lock")
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for option in (*OPTIONS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(shutil.which("chromedriver") or "")
    browser = webdriver.Chrome(options, service)
    browser.set_script_timeout(60)
    yield browser
    browser.quit()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a page of some examples: proved, failed and not run, with curves and a graph."""
    listed = load_examples(LISTED)
    built = [build(listed[name], CATALOG) for name in NAMES]
    by_name = {one.example.name: one for one in built}
    facts = {**FACTS, "graph": GRAPH.replace("dense", "d" * 200)}
    results = [
        *(found(by_name["custom_layer"], backend) for backend in ("tensorflow", "jax", "torch")),
        found(by_name["gan"], "jax", facts=facts),
        found(by_name["dense"], "torch", status="failed", message="a score of 0.1 is not over 0.9"),
    ]
    return write_site(built, results, tmp_path_factory.mktemp("report") / "site")


class Browser:
    """The page as a user sees it."""

    def __init__(self, driver: webdriver.Chrome, file: Path) -> None:
        self.driver = driver
        self.file = file
        self.open()

    def open(self, name: str = "index.html") -> None:
        self.driver.get(self.file.with_name(name).as_uri())

    def one(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def shown(self) -> list[str]:
        cards = self.driver.find_elements(By.CSS_SELECTOR, ".card")
        return [card.get_attribute("id") or "" for card in cards if card.is_displayed()]

    def run(self, script: str) -> Any:
        return self.driver.execute_script(script)

    def log(self, name: str) -> list[Any]:
        """Return the log entries since the last call."""
        return [*self.driver.get_log(name)]  # type: ignore[no-untyped-call]

    def prefer(self, theme: str) -> None:
        media = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)

    def back(self) -> str:
        return str(self.run("return getComputedStyle(document.body).backgroundColor"))

    @contextmanager
    def opening_with(self, script: str) -> Iterator[None]:
        """Have each page run a script before its own."""
        method, undo = (f"Page.{verb}ScriptToEvaluateOnNewDocument" for verb in ("add", "remove"))
        added = self.driver.execute_cdp_cmd(method, {"source": script})
        try:
            yield
        finally:
            self.driver.execute_cdp_cmd(undo, added)

    def until(self, selector: str, expected: str | int, name: str = "textContent") -> None:
        wait = WebDriverWait(self.driver, 10, 0.05)
        wait.until(lambda _: self.one(selector).get_property(name) == expected)


@pytest.fixture
def browser(driver: webdriver.Chrome, site: Path) -> Iterator[Browser]:
    """A browser with empty storage, whose log must stay empty."""
    opened = Browser(driver, site)
    opened.prefer("light")
    for log in ("browser", "performance"):
        opened.log(log)
    with opened.opening_with("localStorage.clear();"):
        opened.open()
    yield opened
    assert opened.log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in opened.log("performance")]
    asked = [one["params"] for one in events if one["method"] == "Network.requestWillBeSent"]
    assert asked
    for one in asked:
        assert one["request"]["url"].startswith((site.parent.as_uri(), "data:"))


def test_finds_by_all_words(browser: Browser) -> None:
    assert browser.shown() == [*NAMES]
    words = browser.one("#words")
    words.send_keys("ATTENTION dropout")
    assert browser.shown() == ["attention", "additive_attention"]
    assert browser.one("#shown").text == "2 of 5 examples"
    assert not browser.one("#kind-model").is_displayed()
    words.send_keys(" bahdanau")
    assert browser.shown() == ["additive_attention"]
    words.send_keys(" nothing")
    assert browser.shown() == []
    assert browser.one("#shown").text == "0 of 5 examples"


def test_finds_by_kind(browser: Browser) -> None:
    for kind, names in {
        "layer": ["attention", "additive_attention", "dense"],
        "model": ["gan"],
        "tutorial": ["custom_layer"],
        "": [*NAMES],
    }.items():
        browser.one(f"[name=kind][value='{kind}']").click()
        assert browser.shown() == names
    browser.one("[name=kind][value='layer']").click()
    browser.one("#words").send_keys("gan")
    assert browser.shown() == []


@pytest.mark.parametrize("clipboard", ["there", "not there"])
def test_copies_a_command(browser: Browser, clipboard: str) -> None:
    if clipboard == "not there":
        browser.run("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    button = browser.one("#gan .copy")
    button.send_keys(Keys.ENTER)
    browser.until("#told", "Copied to the clipboard")
    browser.until("#gan .copy", "Copied")
    assert browser.run("return document.activeElement.matches('#gan .copy')")
    browser.one("#words").send_keys(Keys.CONTROL, "v")
    assert browser.one("#words").get_property("value") == "scaffold model MyGAN"


def test_copies_files_unchanged(browser: Browser, site: Path) -> None:
    browser.open("gan.html")
    browser.run("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    browser.one(".copy").send_keys(Keys.ENTER)
    browser.until("#told", "Copied to the clipboard")
    browser.until(".copy", "Copy")
    browser.until("#told", "")
    built = build(load_examples(LISTED)["gan"], CATALOG)
    assert browser.run("return window.copied") == built.files["my_gan.py"].decode()


def test_copies_all_commands_as_lines(browser: Browser) -> None:
    lines = [f"scaffold {command}" for command in load_examples(LISTED)["custom_layer"].commands]
    browser.until("#commands-custom_layer", "\n".join(lines))


def test_switches_the_theme_and_remembers_it(browser: Browser) -> None:
    light = browser.back()
    button = browser.one(".theme")
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    assert browser.back() != light
    assert button.get_attribute("aria-pressed") == "true"
    assert browser.run("return {...localStorage}") == {"theme": "dark"}
    button.click()
    assert browser.back() == light
    assert browser.run("return {...localStorage}") == {"theme": "light"}


@pytest.mark.parametrize("system", ["light", "dark"])
@pytest.mark.parametrize("name", ["index.html", "gan.html"])
def test_opens_with_the_theme_that_was_remembered(browser: Browser, name: str, system: str) -> None:
    # The test stores it before the page's own scripts run: Chromium may deliver what another page
    # stored late, or on a busy machine never.
    light = browser.back()
    browser.prefer(system)
    for theme in ("light", "dark"):
        with browser.opening_with(f"localStorage.setItem('theme', '{theme}');"):
            browser.open(name)
        assert (browser.back() == light) == (theme == "light")
        assert browser.one(".theme").get_attribute("aria-pressed") == str(theme == "dark").lower()


def test_follows_the_system_and_works_without_storage(browser: Browser) -> None:
    light = browser.back()
    storage = "Object.defineProperty(window, 'localStorage', {get() { throw new Error('no'); }});"
    with browser.opening_with(storage):
        browser.prefer("dark")
        browser.open()
        assert browser.back() != light
        browser.one(".theme").click()
        assert browser.back() == light
        assert browser.shown() == [*NAMES]


def test_can_be_used_with_the_keyboard(browser: Browser) -> None:
    focus = "return document.activeElement"
    browser.one("body").send_keys(Keys.TAB)
    skip = browser.run(focus)
    assert skip.text == "Skip to the content"
    assert skip.rect["y"] >= 0
    skip.send_keys(Keys.ENTER)
    assert browser.run(focus).get_attribute("id") == "main"
    browser.one("#words").send_keys("gan", Keys.TAB)
    assert browser.run(focus).get_attribute("name") == "kind"
    assert browser.run(f"return getComputedStyle({focus[7:]}).outlineStyle") == "solid"


def test_the_keyboard_focuses_what_can_be_scrolled(browser: Browser) -> None:
    browser.run("document.querySelectorAll('#gan details').forEach((one) => { one.open = true; })")
    browser.until("#gan .code", 0, "tabIndex")
    browser.until("#gan .formula", -1, "tabIndex")


@pytest.mark.parametrize("width", [1280, 400, 320])
def test_fits_the_window(browser: Browser, width: int) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        for name in ("index.html", "custom_layer.html"):
            browser.open(name)
            browser.run(
                "document.querySelectorAll('details').forEach((one) => { one.open = true })"
            )
            sides = "const {scrollWidth, clientWidth} = document.documentElement;"
            assert browser.run(f"{sides} return scrollWidth - clientWidth") == 0
    finally:
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["index.html", "gan.html"])
def test_is_accessible(browser: Browser, theme: str, name: str) -> None:
    axe = importlib.resources.files("axe_playwright_python") / "axe.min.js"
    browser.prefer(theme)
    browser.open(name)
    browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    browser.run(axe.read_text("utf-8"))
    result = browser.driver.execute_async_script(AXE)
    assert len(result["passes"]) > 20
    assert [
        (one["id"], one["impact"], one["nodes"][0]["html"]) for one in result["violations"]
    ] == []


def test_forbids_what_is_not_in_it(driver: webdriver.Chrome, site: Path) -> None:
    browser = Browser(driver, site)
    blocked = driver.execute_async_script("""
        const done = arguments[0];
        const seen = [];
        document.addEventListener("securitypolicyviolation", (event) => {
            seen.push(event.effectiveDirective);
            if (seen.length === 3) done(seen.sort());
        });
        fetch("http://127.0.0.1:9/").catch(() => {});
        new Image().src = "http://127.0.0.1:9/image.png";
        const script = document.createElement("script");
        script.textContent = "window.smuggled = true";
        document.body.append(script);
        """)
    assert blocked == ["connect-src", "img-src", "script-src-elem"]
    assert browser.run("return window.smuggled") is None
