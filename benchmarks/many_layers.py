"""`make bench`: many layers and their tests through the API of an installed wheel, in one process.

They are compared with a script that only has black format the same texts. The number per minute
depends on the machine, and black limits it: it is printed next to the goal, with black's share.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.timing import compare
from tools.installed import build_wheel, install

RUNS = 3
ROUNDS = "2"
BOUND = 1.1
GOAL = 1000
# A class derived from a Keras class needs Keras.
GENERATE = """
import sys
import scaffold

project = scaffold.Project(".")
for number in range(int(sys.argv[1])):
    for template in scaffold.templates("layer"):
        if not template.base:
            name = f"My{template.name.title().replace('_', '')}{number}"
            project.generate(scaffold.layer(name, template=template.name))
"""
# Writes what black is given to a folder, and prints black's share of the processor time.
RECORD = f"""
import sys
import time
from pathlib import Path
import black

seconds, format_str = [], black.format_str

def timed(source, *, mode):
    Path(sys.argv[2], f"text_{{len(seconds)}}.py").write_text(source, "utf-8")
    start = time.process_time()
    formatted = format_str(source, mode=mode)
    seconds.append(time.process_time() - start)
    return formatted

black.format_str = timed
{GENERATE}
print(sum(seconds) / time.process_time())
"""
BLACK = """
import sys
from pathlib import Path
import black

mode = black.Mode(target_versions={black.TargetVersion.PY311})
for path in Path(sys.argv[1]).iterdir():
    Path(path.name).write_text(black.format_str(path.read_text("utf-8"), mode=mode), "utf-8")
"""


def _share(python: list[str], texts: str) -> float:
    """Write the texts that black is given, and return its share."""
    with tempfile.TemporaryDirectory() as folder:
        words = [*python, RECORD, ROUNDS, texts]
        done = subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True)
    return float(done.stdout)


def main() -> int:
    """Print the figures, and return 1 if the bound is exceeded."""
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as texts:
        installed = install(build_wheel(Path(home, "dist")), Path(home, "installed"))
        python = [str(installed), "-I", "-c"]
        share = _share(python, texts)
        layers = len(list(Path(texts).iterdir())) // 2
        ours, alone = compare([*python, GENERATE, ROUNDS], [*python, BLACK, texts], RUNS)
    ratio = ours.seconds / alone.seconds
    print(f"{RUNS} runs each, in turn; medians of whole processes with {layers} layers")
    print(
        f"{layers * 60 / ours.seconds:.0f} layers and their tests a minute, the goal is {GOAL}; "
        f"black takes {share:.0%} of the time"
    )
    verdict = "ok" if ratio <= BOUND else "over"
    print(
        f"the API {ours.seconds:.1f} s, black alone {alone.seconds:.1f} s, {ratio:4.2f} x  "
        f"at most {BOUND:g}  {verdict}"
    )
    return int(ratio > BOUND)


if __name__ == "__main__":
    sys.exit(main())
