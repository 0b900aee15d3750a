"""Jinja templates that were compiled when the wheel was built.

They are Python sources, which Python compiles and caches like those of any package.
"""

from __future__ import annotations

from hashlib import sha256
from importlib.machinery import SourceFileLoader
from pathlib import Path

import jinja2
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket


class Precompiled(BytecodeCache):
    """The compiled templates in a folder, for the Jinja that compiled them; nothing is added.

    Each is used only for the source that it was compiled from.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = _of_jinja(folder, getattr(jinja2, "__version__", "unknown"))

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        return name.replace("/", "-")

    def get_source_checksum(self, source: str) -> str:
        return sha256(source.encode()).hexdigest()

    def load_bytecode(self, bucket: Bucket) -> None:
        path = self._folder / _file(bucket.key, bucket.checksum)
        if path.is_file():
            bucket.code = SourceFileLoader(bucket.key, str(path)).get_code(bucket.key)

    def dump_bytecode(self, bucket: Bucket) -> None: ...


def precompile(environment: Environment, into: Path) -> None:
    """Compile all templates of an environment."""
    from importlib.metadata import version  # Too slow to import in a command.

    folder = _of_jinja(into, version("jinja2"))
    folder.mkdir(parents=True)
    cache = Precompiled(into)
    for name in environment.list_templates(extensions=["jinja"]):
        assert environment.loader is not None
        source = environment.loader.get_source(environment, name)[0]
        file = _file(cache.get_cache_key(name), cache.get_source_checksum(source))
        compiled = environment.compile(source, name, raw=True)
        (folder / file).write_text(compiled, encoding="utf-8")


def _of_jinja(folder: Path, version: str) -> Path:
    return folder / f"jinja2-{version}"


def _file(key: str, checksum: str) -> str:
    return f"{key}-{checksum[:16]}.py"
