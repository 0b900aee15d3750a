"""A warm python does what python does, and ends in the same way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scaffold.errors import ScaffoldError
from tools.warm import warm_python
from tools.warm.start import FORKS

if not FORKS:
    pytest.skip("forks are not safe here, so there is no warm python", allow_module_level=True)


@pytest.fixture(scope="module")
def warm() -> Iterator[str]:
    with warm_python(["torch"], {"OMP_NUM_THREADS": "1"}) as python:
        yield python


def run(python: str, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "KERAS_BACKEND": "torch", **more}
    return subprocess.run(
        [python, *words], env=environment, capture_output=True, text=True, check=False
    )


SHOW = (
    "import os, sys; print(sys.argv, sys.path[0], __name__, os.getcwd(), os.environ.get('MINE'),"
    " sys.dont_write_bytecode); print('wrong', file=sys.stderr); sys.exit(7)"
)


@pytest.mark.parametrize("how", ["code", "module", "script"])
@pytest.mark.parametrize("options", [(), ("-P",), ("-W", "error::UserWarning", "-X", "utf8")])
def test_is_like_python(
    warm: str, how: str, options: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shown.py").write_text(SHOW)
    more = tmp_path / "more"
    more.mkdir()
    words = {"code": ("-c", SHOW), "module": ("-m", "shown"), "script": ("shown.py",)}[how]
    if how == "module" and "-P" in options:
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    cold, fork = (
        run(python, *options, *words, "a", "b c", MINE="1", PYTHONDONTWRITEBYTECODE="1")
        for python in (sys.executable, warm)
    )
    if how != "script" or "-P" in options:
        assert fork.stdout == cold.stdout
    assert (fork.returncode, fork.stderr) == (cold.returncode, cold.stderr) == (7, "wrong\n")


def test_has_imported_keras_and_nothing_from_the_last_fork(warm: str) -> None:
    code = "import sys; assert 'keras' in sys.modules; assert 'mine' not in sys.modules"
    for _ in range(2):
        again = f"{code}; sys.modules['mine'] = sys; import keras; keras.mine = 1"
        assert run(warm, "-c", again).returncode == 0
    assert run(warm, "-c", "import keras; assert not hasattr(keras, 'mine')").returncode == 0


def test_what_it_starts_is_warm_too(warm: str) -> None:
    inner = "import sys; print('keras' in sys.modules)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    assert run(warm, "-c", code).stdout == "True\n"


def test_another_backend_is_cold(warm: str) -> None:
    code = "import sys; print('keras' in sys.modules, sys.executable)"
    ran = run(warm, "-c", code, KERAS_BACKEND="jax")
    assert ran.stdout == f"False {sys.executable}\n"


def test_each_hash_seed_has_a_server(warm: str) -> None:
    code = "import sys; print('keras' in sys.modules, hash('a'))"
    seeded = {run(warm, "-c", code, PYTHONHASHSEED="4321").stdout for _ in range(2)}
    other = run(warm, "-c", code).stdout
    assert len(seeded) == 1
    assert seeded != {other}


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("raise ValueError('no')", 1),
        ("import sys; sys.exit('no')", 1),
        ("import os; os.abort()", -signal.SIGABRT),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
    ],
)
def test_ends_in_the_same_way(warm: str, code: str, status: int) -> None:
    ran = run(warm, "-c", code)
    assert ran.returncode == status
    assert "no" in ran.stderr or status < 0


def test_killing_a_client_ends_its_fork(warm: str, tmp_path: Path) -> None:
    code = (
        "import os, pathlib, time; pathlib.Path('pid').write_text(str(os.getpid()));"
        " pathlib.Path('pid').rename('there'); time.sleep(600)"
    )
    environment = {**os.environ, "KERAS_BACKEND": "torch"}
    process = subprocess.Popen([warm, "-c", code], cwd=tmp_path, env=environment)
    there = tmp_path / "there"
    wait_until(there.exists)
    pid = int(there.read_text())
    os.kill(pid, 0)
    process.kill()
    process.wait()
    wait_until(lambda: not lives(pid))


def test_a_server_that_does_not_start_is_reported() -> None:
    with (
        pytest.raises(ScaffoldError, match=r"Keras could not be imported for nonsense"),
        warm_python(["nonsense"], {}),
    ):
        raise AssertionError


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(condition: object) -> None:
    end = time.monotonic() + 60
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.02)
