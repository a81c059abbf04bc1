"""What every test shares: how hard hypothesis tries, which parts of the system are there, and the order of the files.

It is not a place for fixtures of one room. The rule that must not be broken: a test that could not run for want of a
system part is listed at the end of the run, and with `CI=true` it fails the run.
"""

import gc
import os
import shutil
import subprocess
from collections.abc import Callable
from glob import glob
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).resolve().parent
PROFILE_VARIABLE = "HYPOTHESIS_PROFILE"
FONT_QUERY_TIMEOUT_S = 30
GARBAGE_AFTER = 20_000, 10, 50
"""New objects until rubbish is looked for. An application is a hundred thousand objects: with Python's own 700, all
modules of the run were walked through for each of the hundreds that tests build."""

# Examples a property gets: few while one writes, the library's usual hundred in the gate, many on demand.
# How long drawing takes says more of the machine than of the test, so no profile judges it.
SLOW = [HealthCheck.too_slow]
settings.register_profile("dev", max_examples=25, deadline=None, suppress_health_check=SLOW)
settings.register_profile("ci", max_examples=100, deadline=None, print_blob=True, suppress_health_check=SLOW)
settings.register_profile("deep", max_examples=2000, deadline=None, print_blob=True, suppress_health_check=SLOW)

skipped_parts: dict[str, list[str]] = {}


def _has_mosquitto() -> bool:
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin") is not None


def _has_browser() -> bool:
    return shutil.which("chromium") is not None and _has_chinese_font()


def _has_chinese_font() -> bool:
    if shutil.which("fc-list") is None:
        return False
    listing = subprocess.run(
        ["fc-list", ":lang=zh"], capture_output=True, check=False, text=True, timeout=FONT_QUERY_TIMEOUT_S
    )
    return listing.stdout.strip() != ""


def _has_postgresql() -> bool:
    return bool(glob("/usr/lib/postgresql/*/bin/initdb")) or shutil.which("initdb") is not None


def _has_slapd() -> bool:
    return shutil.which("slapd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin") is not None


def _has_linux() -> bool:
    return Path("/dev/ptmx").exists() and Path("/proc/self").is_dir()


# Marker -> (what the machine lacks, how to see whether it is there).
SYSTEM_PARTS: dict[str, tuple[str, Callable[[], bool]]] = {
    "needs_mosquitto": ("mosquitto", _has_mosquitto),
    "needs_browser": ("chromium with a Chinese font", _has_browser),
    "needs_postgresql": ("the PostgreSQL server", _has_postgresql),
    "needs_slapd": ("the OpenLDAP server slapd", _has_slapd),
    "needs_linux": ("Linux with pseudo-terminals and /proc", _has_linux),
}


def _in_ci() -> bool:
    return os.environ.get("CI", "").lower() == "true"


def pytest_configure(config: pytest.Config) -> None:
    """Choose how hard hypothesis tries: the variable if it is set, else the gate's hundred."""
    del config
    settings.load_profile(os.environ.get(PROFILE_VARIABLE, "ci"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slow system tests last, and skip what this machine has no part for."""
    items.sort(key=lambda item: (TESTS / "system") in item.path.parents)
    for marker, (part, is_there) in SYSTEM_PARTS.items():
        wanting = [item for item in items if item.get_closest_marker(marker) is not None]
        if not wanting or is_there():
            continue
        skipped_parts[part] = [item.nodeid for item in wanting]
        for item in wanting:
            item.add_marker(pytest.mark.skip(reason=f"this machine has no {part}"))


def pytest_collection_finish() -> None:
    """Let rubbish be looked for among what tests make, and not among the modules that are there for the whole run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_AFTER)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List what was not tested for want of a system part."""
    if not skipped_parts:
        return
    terminalreporter.section("not tested: system parts are missing (.ci/system-parts installs them on Debian, as root)")
    for part, tests in sorted(skipped_parts.items()):
        terminalreporter.write_line(f"{part}: {len(tests)} test(s)")
        for name in tests:
            terminalreporter.write_line(f"    {name}")
    if _in_ci():
        terminalreporter.write_line("CI=true: a test skipped for this reason fails the run", red=True)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """With CI=true a run that left something out is not a pass."""
    if skipped_parts and _in_ci() and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
