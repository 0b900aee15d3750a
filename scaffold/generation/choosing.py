"""Which template a class name calls for: all of its words count, wherever they occur."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from scaffold.errors import UsageError
from scaffold.generation.index import Entry
from scaffold.generation.lexicon import Kind, Known, Lexicon
from scaffold.generation.near import Near, UndecidedError
from scaffold.generation.template import Meaning, Template
from scaffold.text import closest, folded, parts, shown

Named = Entry | Known | Kind
_OTHER = {"layer": "model", "model": "layer"}
# Shorter words are too similar to recognize a typo.
_SHORTEST = 4
_SAYS_NOTHING = "the name matches no template: choose one from `scaffold list` with --template"


class Templates(Protocol):
    """The templates to choose from, and what is said about names that none of them has."""

    @property
    def lexicon(self) -> Lexicon: ...

    def entries(self, target: str) -> list[Entry]: ...

    def get(self, target: str, name: str) -> Template: ...

    def near(self, target: str, word: str) -> list[Near]: ...


def choose(catalog: Templates, target: str, name: str) -> tuple[Template, Meaning, str]:
    """Return the template that a class name calls for, with the meaning of its words, and why.

    Raises:
        UndecidedError: If the name calls for several, or for something without a template.
        UsageError: If it calls for none, and the catalog has no fallback.
    """
    return _Choosing(catalog, target, name, parts(name)).choose()


@dataclass(frozen=True)
class _Match:
    """A word that occurs in a name, from one of the name's parts up to another."""

    word: str
    start: int
    end: int
    what: Named
    meaning: Meaning = field(default_factory=Meaning)

    @property
    def length(self) -> int:
        return len(folded(self.word))

    def overlaps(self, other: _Match) -> bool:
        return self.start < other.end and other.start < self.end

    def covers(self, other: _Match) -> bool:
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True)
class _Choosing:
    """One name, and all that its words may mean."""

    catalog: Templates
    target: str
    name: str
    parts: Sequence[str]

    def choose(self) -> tuple[Template, Meaning, str]:
        words = self._named(self.target)
        best = _longest(words) or _longest(self._matches(self._qualifiers()))
        self._refuse_a_kind(best)
        self._refuse_the_other_target(best)
        if not best:
            return self._unnamed()
        if len({id(match.what) for match in best}) > 1:
            best = [self._the_fallback(best)]
        chosen, entry = best[0], best[0].what
        if not isinstance(entry, Entry):
            raise self._unsupported(chosen)
        self._refuse_another_number(chosen, entry)
        return self._qualified(chosen, entry, words)

    def _template(self, entry: Entry) -> Template:
        return self.catalog.get(entry.target, entry.name)

    def _named(self, target: str) -> list[_Match]:
        """Return the words in the name: of templates, and of known names without a template."""
        of_templates = self._matches(
            (word, entry, meaning)
            for entry in self.catalog.entries(target)
            for word, meaning in entry.words.items()
        )
        taken = {(match.start, match.end) for match in of_templates}
        known = self._matches(
            (word, known, Meaning())
            for known in self.catalog.lexicon.known
            if known.target == target
            for word in known.words
        )
        return [*of_templates, *(one for one in known if (one.start, one.end) not in taken)]

    def _qualifiers(self) -> Iterator[tuple[str, Entry, Meaning]]:
        for entry in self.catalog.entries(self.target):
            for word, meaning in entry.qualifiers.items():
                yield word, entry, meaning

    def _matches(self, words: Iterable[tuple[str, Named, Meaning]]) -> list[_Match]:
        spans: dict[str, list[tuple[int, int]]] = {}
        for start, end in _spans(self.parts):
            spans.setdefault("".join(self.parts[start:end]), []).append((start, end))
        return [
            _Match(word, start, end, what, meaning)
            for word, what, meaning in words
            for start, end in spans.get(folded(word), ())
        ]

    def _refuse_a_kind(self, best: Sequence[_Match]) -> None:
        """Refuse a name that ends in a word for something else, such as `FocalLoss`."""
        end = len(self.parts)
        while end > 1 and self.parts[end - 1].isdigit():
            end -= 1
        kinds = self._matches(
            (word, kind, Meaning()) for kind in self.catalog.lexicon.kinds for word in kind.words
        )
        for found in kinds:
            kind = found.what
            if (
                isinstance(kind, Kind)
                and found.end == end
                and not any(one.covers(found) for one in best)
            ):
                raise self._undecided(
                    f"`{shown(self.name)}` names {kind.title}, not a layer or model",
                    self._general(),
                    instead=f"Derive it from `{kind.base}`",
                )

    def _refuse_the_other_target(self, best: Sequence[_Match]) -> None:
        """Refuse a layer's name for a model, and a model's for a layer."""
        foreign = _longest(self._named(_OTHER[self.target]))
        if not foreign or any(
            one.length >= foreign[0].length or not one.overlaps(foreign[0]) for one in best
        ):
            return
        found = foreign[0]
        if isinstance(found.what, Known):
            raise self._unsupported(found)
        other = _OTHER[self.target]
        raise self._undecided(
            f"`{shown(self.name)}` names a {other} (`{found.word}`), not a {self.target}",
            self.catalog.near(self.target, found.word) or self._general(),
            instead=f"Run `scaffold {other} {self.name}`",
        )

    def _refuse_another_number(self, chosen: _Match, entry: Entry) -> None:
        """Refuse a number after a word that the template knows only with others: `ResNet99`."""
        number = "".join(self.parts[chosen.end : chosen.end + 1])
        if not number[:1].isdigit():
            return
        stem = folded(chosen.word)
        numbered = {
            word: meaning
            for word, meaning in entry.words.items()
            if (rest := folded(word).removeprefix(stem)) != folded(word)
            and rest.removesuffix("d").isdigit()
            and rest.endswith("d") == number.endswith("d")
        }
        if numbered:
            template = self._template(entry)
            raise self._undecided(
                f"no template for `{chosen.word}{number}`",
                [Near(template, meaning, word) for word, meaning in numbered.items()],
            )

    def _qualified(
        self, chosen: _Match, entry: Entry, words: Sequence[_Match]
    ) -> tuple[Template, Meaning, str]:
        """Return the template, with what the other words of the name say about it."""
        template = self._template(entry)
        own = (one for one in words if one.what is entry and not chosen.covers(one))
        said = [chosen, *sorted(own, key=lambda one: -one.length)]
        for one in self._matches(self._qualifiers()):
            if any(other.covers(one) for other in said):
                continue
            if template.can_be(one.meaning):
                said.append(one)
            elif one.meaning.options:
                raise self._undecided(
                    f"`{shown(self.name)}`: the template `{template.name}` does not support "
                    f"`{one.word}`",
                    [Near(template, chosen.meaning), *self._general()],
                )
        meaning = Meaning()
        for one in said:
            meaning = meaning.over(one.meaning)
        telling = [one.word for one in said if one is chosen or one.meaning != Meaning()]
        return template, meaning, f"by name: {', '.join(dict.fromkeys(telling))}"

    def _unnamed(self) -> tuple[Template, Meaning, str]:
        """Return the fallback template, for a name that matches none."""
        if self.target == "layer":
            self._refuse_a_layer_of_keras()
        self._refuse_a_typo()
        for entry in self.catalog.entries(self.target):
            if entry.fallback:
                return self._template(entry), Meaning(), _SAYS_NOTHING
        raise UsageError(
            f"`{shown(self.name)}` matches no {self.target} template",
            fix="Choose one with --template.",
        )

    def _refuse_a_layer_of_keras(self) -> None:
        """Refuse the name of a Keras layer without a template: `--base` is for that."""
        from scaffold.keras_source.taken_names import LAYERS

        names = {folded(name): name for name in LAYERS}
        neutral = self.catalog.lexicon.neutral
        for start, end in _spans(self.parts):
            base = names.get("".join(self.parts[start:end]))
            rest = [*self.parts[:start], *self.parts[end:]]
            if base and neutral.issuperset(rest) and not neutral.issuperset(self.parts):
                raise self._undecided(
                    f"no template for `keras.layers.{base}`",
                    self._general(),
                    instead=f"Run `scaffold layer {self.name} --base keras.layers.{base}`",
                )

    def _refuse_a_typo(self) -> None:
        """Refuse a name with a likely typo, such as `MyCnov`."""
        vocabulary, neutral = self._vocabulary(), self.catalog.lexicon.neutral
        runs = {
            "".join(self.parts[start:end])
            for start, end in _spans(self.parts)
            if not neutral.issuperset(self.parts[start:end])
        }
        for run in sorted(runs, key=lambda run: (-len(run), run)):
            similar = [word for word in vocabulary if _may_be_meant(word, run)]
            if found := vocabulary.get(closest(run, similar, max(1, len(run) // 4))):
                raise self._undecided(
                    f"{self.target} template `{shown(run)}` not found. Did you mean `{found}`?",
                    self._meant(found),
                )

    def _vocabulary(self) -> dict[str, str]:
        """Return every word that means something, by its folded form."""
        of_templates = [
            word
            for target in (_OTHER[self.target], self.target)
            for entry in self.catalog.entries(target)
            for word in (*entry.qualifiers, *entry.words)
        ]
        known = [word for one in self.catalog.lexicon.known for word in one.words]
        return {folded(word): word for word in [*known, *of_templates]}

    def _meant(self, word: str) -> Sequence[Near]:
        try:
            template, meaning, _ = choose(self.catalog, self.target, word)
        except UndecidedError as error:
            return error.near
        return [Near(template, meaning, word)]

    def _the_fallback(self, best: Sequence[_Match]) -> _Match:
        """Return the match of the fallback template, if it is among the best.

        Raises:
            UndecidedError: If it is not.
        """
        for one in best:
            if isinstance(one.what, Entry) and one.what.fallback:
                return one
        near: list[Near] = []
        for one in best:
            if isinstance(one.what, Entry):
                near.append(Near(self._template(one.what), one.meaning, one.word))
            else:
                near += self.catalog.near(self.target, one.word)
        words = dict.fromkeys(match.word for match in best)
        raise self._undecided(f"`{shown(self.name)}` may mean {' or '.join(words)}", near)

    def _unsupported(self, found: _Match) -> UndecidedError:
        """Return the error for an architecture without a template."""
        known = found.what
        assert isinstance(known, Known)
        near = self.catalog.near(self.target, found.word)
        if not known.title:
            return self._undecided(f"`{shown(self.name)}` may mean several templates", near)
        message = f"no template for {known.title}"
        if folded(found.word) not in folded(known.title):
            message = f"no template for `{found.word}` ({known.title})"
        if known.target != self.target:
            message += f", which is a {known.target}"
        instead = f"Run `scaffold {known.target} {self.name} --base {known.base}`"
        if not known.base:
            other = self.catalog.near(known.target, found.word) * (known.target != self.target)
            typed = "".join(f"--template {one.typed()}" for one in other[:1])
            instead = typed and f"Run `scaffold {known.target} {self.name} {typed}`"
        return self._undecided(message, near or self._general(), instead=instead)

    def _general(self) -> list[Near]:
        """Return the templates that suit any name."""
        entries = self.catalog.entries(self.target)
        return [Near(self._template(one)) for one in entries if one.composes or one.fallback]

    def _undecided(self, message: str, near: Sequence[Near], instead: str = "") -> UndecidedError:
        return UndecidedError(message, self.target, self.name, near, instead)


def _spans(parts: Sequence[str]) -> Iterator[tuple[int, int]]:
    for start in range(len(parts)):
        for end in range(start + 1, len(parts) + 1):
            yield start, end


def _longest(matches: Sequence[_Match]) -> list[_Match]:
    most = max((match.length for match in matches), default=0)
    return [match for match in matches if match.length == most]


def _may_be_meant(word: str, run: str) -> bool:
    """Return whether `run` may be a typo of `word`; with four letters, only if two are swapped."""
    if min(len(word), len(run)) < _SHORTEST or word[0] != run[0]:
        return False
    return len(run) > _SHORTEST or sorted(word) == sorted(run)
