"""`make bench`: the duration of commands from a cold start, as ratios within one run.

An installed wheel is measured, since it has compiled templates. Medians are compared, measured as
described in `benchmarks.timing`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.timing import compare
from tools.installed import COMMAND, build_wheel, install

RUNS = 15
ATTRIBUTES = ["MyConv", "filters=64", "gain:float=1.0{>0}", "mode:enum(sum,mean)=sum"]

# The minimum for any tool that renders two templates of the same length and formats them.
BARE = """
import sys
import click, jinja2, black
environment = jinja2.Environment(loader=jinja2.FileSystemLoader(sys.argv[1]))
for name in ("my_conv.py", "test_my_conv.py"):
    text = environment.get_template(name).render(name="MyConv")
    with open(name, "w") as file:
        file.write(black.format_str(text, mode=black.Mode()))
"""


def _templates(scaffold: list[str], folder: Path) -> None:
    """Write two plain templates with the text that our command generates."""
    subprocess.run([*scaffold, "layer", *ATTRIBUTES], cwd=folder, check=True, capture_output=True)
    for path in folder.glob("*.py"):
        text = path.read_text().replace("MyConv", "@@")
        escaped = text.replace("{", "{{ '{' }}").replace("@@", "{{ name }}")
        path.write_text(escaped)


def main() -> int:
    """Print the table, and return 1 if a bound is exceeded."""
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as folder:
        python = str(install(build_wheel(Path(home, "dist")), Path(home, "installed")))
        scaffold = [python, *COMMAND]
        _templates(scaffold, Path(folder))
        help_, click_ = compare([*scaffold, "--help"], [python, "-I", "-c", "import click"], RUNS)
        ours = [*scaffold, "layer", *ATTRIBUTES]
        layer, bare = compare(ours, [python, "-I", "-c", BARE, folder], RUNS)
    rows = [
        ("scaffold --help / import click", help_.seconds / click_.seconds, 2.0, "x"),
        ("scaffold layer / bare script", layer.seconds / bare.seconds, 1.3, "x"),
        ("scaffold layer, peak memory", layer.megabytes, 80.0, "MB"),
    ]
    print(f"{RUNS} runs each of an installed wheel, in turn; medians")
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
