"""Diffs for review: what they look like, and that the new text follows from them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffs import MisfitError, difference, patched

OLD = """\
import keras

class Scale(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)

    def build(self, input_shape):
        self.scale = self.add_weight()
        self.built = True

    def call(self, inputs):
        one = 1
        two = 2
        three = 3
        four = 4
        return inputs * self.scale

    def get_config(self):
        return super().get_config()
"""
NEW = """\
import keras
from keras import ops

class Scale(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.scale = self.add_weight()

    def call(self, inputs):
        return ops.multiply(inputs, self.scale)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config()
"""
DIFF = """\
 import keras
+from keras import ops
@@ class Scale(keras.layers.Layer):
-    def __init__(self, **kwargs):
+    def __init__(self, units, **kwargs):
         super().__init__(**kwargs)
+        self.units = units
@@ def build(self, input_shape):
-        self.built = True
@@ def call(self, inputs):
-        one = 1
~ and 4 more lines
+        return ops.multiply(inputs, self.scale)
+
+    def compute_output_shape(self, input_shape):
+        return input_shape
"""
LINES = st.lists(st.sampled_from(["", "a", "b", "def f():", "    def f():", "class C:", "@@ a"]))


def test_shows_what_changes_and_where() -> None:
    assert difference(OLD.splitlines(), NEW.splitlines()) == DIFF.splitlines()
    assert patched(OLD.splitlines(), DIFF.splitlines()) == NEW.splitlines()


def test_is_empty_for_the_same_text() -> None:
    assert difference(OLD.splitlines(), OLD.splitlines()) == []
    assert patched(OLD.splitlines(), []) == OLD.splitlines()


def test_a_line_that_occurs_before_is_told_apart() -> None:
    old = ["x = 1", "y = 1", "x = 1", "z = 1"]
    assert difference(old, [*old[:3], "new", *old[3:]]) == [" y = 1", " x = 1", "+new"]
    assert difference(old, [*old[:2], "z = 1"]) == [" y = 1", "-x = 1"]


@given(LINES, LINES)
def test_the_new_text_follows(old: list[str], new: list[str]) -> None:
    assert patched(old, difference(old, new)) == new


@pytest.mark.parametrize("line", ["-missing", " missing", "@@ def missing():", "-a = 1", "-b = 2"])
def test_a_misfit_is_refused(line: str) -> None:
    with pytest.raises(MisfitError, match=re.escape(line)):
        patched(["a = 1", "b = 2", "c = 3"], ["-c = 3", line])
