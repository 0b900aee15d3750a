"""`make bench`: how long a command takes from a cold start, as ratios within this one run.

Each pair runs in turn, A B A B ..., so that both see the same machine; the medians are
compared. The process is timed from outside, and its peak memory is the system's own figure.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

RUNS = 15
SCAFFOLD = str(Path(sysconfig.get_path("scripts")) / "scaffold")
ATTRIBUTES = ["MyConv", "filters=64", "gain:float=1.0{>0}", "mode:enum(sum,mean)=sum"]

# What any tool must do that fills two templates as long as ours and formats them.
BARE = """
import sys
import click, jinja2, black
environment = jinja2.Environment(loader=jinja2.FileSystemLoader(sys.argv[1]))
for name in ("my_conv.py", "test_my_conv.py"):
    text = environment.get_template(name).render(name="MyConv")
    with open(name, "w") as file:
        file.write(black.format_str(text, mode=black.Mode()))
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians over the runs of one command: seconds, and the peak of memory in MB."""

    seconds: float
    megabytes: float


def run_once(command: list[str], folder: Path) -> Measured:
    """One run of `command` in `folder`."""
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} left with {process.returncode}")
    scale = 1 if sys.platform == "darwin" else 1024
    return Measured(seconds, usage.ru_maxrss * scale / 1e6)


def compare(ours: list[str], theirs: list[str]) -> tuple[Measured, Measured]:
    """The medians of two commands, run in turn, each time in a new folder."""
    runs: tuple[list[Measured], list[Measured]] = ([], [])
    for number in range(RUNS + 1):
        for command, measured in zip((ours, theirs), runs, strict=True):
            with tempfile.TemporaryDirectory() as folder:
                once = run_once(command, Path(folder))
            if number:  # The first run only warms the disk's cache.
                measured.append(once)
    return _median(runs[0]), _median(runs[1])


def _median(runs: list[Measured]) -> Measured:
    return Measured(
        statistics.median(run.seconds for run in runs),
        statistics.median(run.megabytes for run in runs),
    )


def _templates(folder: Path) -> None:
    """Two plain templates with the text of what our command gives."""
    subprocess.run([SCAFFOLD, "layer", *ATTRIBUTES], cwd=folder, check=True, capture_output=True)
    for path in folder.glob("*.py"):
        text = path.read_text().replace("MyConv", "@@")
        escaped = text.replace("{", "{{ '{' }}").replace("@@", "{{ name }}")
        path.write_text(escaped)


def main() -> int:
    """Print the table, and leave with 1 if a bound is broken."""
    with tempfile.TemporaryDirectory() as folder:
        _templates(Path(folder))
        python = sys.executable
        help_, click_ = compare([SCAFFOLD, "--help"], [python, "-c", "import click"])
        layer, bare = compare([SCAFFOLD, "layer", *ATTRIBUTES], [python, "-c", BARE, folder])
    rows = [
        ("scaffold --help / import click", help_.seconds / click_.seconds, 2.0, "x"),
        ("scaffold layer / bare script", layer.seconds / bare.seconds, 1.3, "x"),
        ("scaffold layer, peak memory", layer.megabytes, 80.0, "MB"),
    ]
    print(f"{RUNS} runs each, in turn; medians")
    print(
        f"scaffold --help {help_.seconds * 1e3:.0f} ms, import click {click_.seconds * 1e3:.0f} ms"
    )
    print(f"scaffold layer {layer.seconds * 1e3:.0f} ms, bare script {bare.seconds * 1e3:.0f} ms")
    for title, value, bound, unit in rows:
        verdict = "ok" if value <= bound else "over"
        print(f"{title:<32} {value:6.2f} {unit:<3} at most {bound:g}  {verdict}")
    return int(any(value > bound for _, value, bound, _ in rows))


if __name__ == "__main__":
    sys.exit(main())
