"""Drive the Chromium of the system, without a window; tests skip where there is none."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",  # which a superuser, as in a container, cannot have
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--window-size=1400,1000",
)
_PLACE_OF_CELL = """
const [number, x, y] = arguments;
const map = document.getElementById(`map-${number}`);
for (const view of Bokeh.index) {
  if (view.model.name === "map" && map.contains(view.el)) {
    const box = view.canvas_view.el.getBoundingClientRect();
    return [box.left + view.frame.x_scale.compute(x), box.top + view.frame.y_scale.compute(y)];
  }
}
"""


class Browser:
    """A page in Chromium: what it shows, and what it asked for."""

    def __init__(self, downloads: Path | None = None) -> None:
        webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
        from selenium.webdriver.chrome.service import Service

        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        driver = shutil.which("chromedriver")
        if chromium is None or driver is None:
            pytest.skip("Chromium and its driver are not installed (apt install chromium chromium-driver)")
        options = webdriver.ChromeOptions()
        for argument in _ARGUMENTS:
            options.add_argument(argument)
        if downloads is not None:
            options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
        options.binary_location = chromium
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(driver))

    def close(self) -> None:
        self.driver.quit()

    def open(self, page: Path) -> None:
        """Open the page in a file and wait until its script is done."""
        self.go(page.as_uri())

    def go(self, address: str) -> None:
        """Open an address and wait until the script of its page is done."""
        self.driver.get_log("browser"), self.driver.get_log("performance")
        self.driver.get(address)
        self.ready()

    def ready(self) -> None:
        """Wait until the script of the page is done."""
        self.wait(lambda: self.run("return document.documentElement.dataset.ready === 'yes'"))

    def run(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(script, *arguments)

    def wait(self, met: Callable[[], object]) -> None:
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.driver, 30, 0.05).until(lambda _: met())

    def text(self, name: str) -> str:
        """Return the text of the element with an id."""
        found: str = self.run("return document.getElementById(arguments[0]).textContent", name)
        return found

    def table(self, number: int = 0) -> list[list[str]]:
        """Return the rows of the table of the chosen transition, without its head."""
        script = (
            "return [...document.getElementById(arguments[0]).tBodies[0].rows]"
            ".map((row) => [...row.cells].map((cell) => cell.textContent))"
        )
        found: list[list[str]] = self.run(script, f"numbers-{number}")
        return found

    def click_cell(self, x: int, y: int, number: int = 0) -> None:
        """Click the cell of the map at these places of an initial and a final level."""
        from selenium.webdriver.common.action_chains import ActionChains

        self.run("document.getElementById(arguments[0]).scrollIntoView({block: 'center'})", f"map-{number}")
        left, top = self.run(_PLACE_OF_CELL, number, x, y)
        actions = ActionChains(self.driver)
        actions.w3c_actions.pointer_action.move_to_location(round(left), round(top))
        actions.click()
        actions.perform()

    def press(self, name: str, *keys: str) -> None:
        """Press keys on the element with an id."""
        element = self.driver.find_element("id", name)
        self.run("arguments[0].focus()", element)
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def emulate(self, media: str = "", scheme: str = "light") -> None:
        """Show the page as on paper (`print`), or in a light or dark scheme."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})

    def complaints(self) -> list[str]:
        """Return what the console has above a note, since the page was opened."""
        rows = self.driver.get_log("browser")
        return [row["message"] for row in rows if row["level"] in ("WARNING", "SEVERE")]

    def requests(self) -> list[str]:
        """Return the addresses that were asked for, without those that are data in the page itself."""
        messages = [json.loads(row["message"])["message"] for row in self.driver.get_log("performance")]
        sent = [one for one in messages if one["method"] == "Network.requestWillBeSent"]
        addresses = [one["params"]["request"]["url"] for one in sent]
        return [address for address in addresses if not address.startswith("data:")]
