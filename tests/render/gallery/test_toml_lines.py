import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lerax_render.gallery.toml_lines import key_lines, line_of

DOCUMENT = '''\
# a comment
title = "x" # and another

a.b = 1
[defaults] # [not this]
width = 3
"quoted key" = """
height = 5
"""
tags = [
  "one", # two = 2
  "two",
]

[[clips]]
env = "[defaults]"
[clips.env_args]
dt = 0.1
[[clips]]

  indented = { x = 1, y = 2 }
[other.deep]
last = 1'''


def test_every_key_has_its_line():
    assert key_lines(DOCUMENT) == {
        ("title",): 2,
        ("a",): 4,
        ("a", "b"): 4,
        ("defaults",): 5,
        ("defaults", "width"): 6,
        ("defaults", "quoted key"): 7,
        ("defaults", "tags"): 10,
        ("clips", 0): 15,
        ("clips", 0, "env"): 16,
        ("clips", 0, "env_args"): 17,
        ("clips", 0, "env_args", "dt"): 18,
        ("clips", 1): 19,
        ("clips", 1, "indented"): 21,
        ("clips", 1, "indented", "x"): 21,
        ("clips", 1, "indented", "y"): 21,
        ("other", "deep"): 22,
        ("other", "deep", "last"): 23,
    }


def test_line_ends_of_windows():
    assert key_lines("a = 1\r\n\r\n[b]\r\nc = 2\r\n") == {("a",): 1, ("b",): 3, ("b", "c"): 4}


@pytest.mark.parametrize(
    ("path", "line"),
    [(("clips", 1, "env"), 19), (("clips", 0, "env", "x"), 16), (("nowhere",), 1), ((), 1)],
)
def test_what_is_not_there_is_in_what_is(path, line):
    assert line_of(key_lines(DOCUMENT), path) == line


@given(
    st.lists(
        st.one_of(
            st.integers().map(str),
            st.text("ab=[]#\n", max_size=8).map(lambda text: f"'''{text}'''"),
            st.lists(st.integers(), max_size=3).map(
                lambda xs: "[\n" + ",\n".join(map(str, xs)) + "]"
            ),
        ),
        max_size=6,
    )
)
def test_keys_are_found_whatever_the_values_look_like(values):
    lines, expected = [], {}
    for number, value in enumerate(values):
        expected["defaults", f"k{number}"] = len("\n".join(lines).split("\n")) + 1 if lines else 2
        if not lines:
            lines.append("[defaults]")
        lines.append(f"k{number} = {value}")
    text = "\n".join(lines)
    tomllib.loads(text)

    found = key_lines(text)
    assert {path: line for path, line in found.items() if len(path) == 2} == expected
