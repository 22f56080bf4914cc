"""Where texts are broken into lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lerax_render.compose.wrapping import wrapped


def columns(text):
    """The width of a text where Chinese and Japanese letters are twice as wide as others."""
    return sum(2 if ord(each) > 0x2E80 else 1 for each in text)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("short", 20, ["short"]),
        ("", 20, [""]),
        ("one\ntwo", 20, ["one", "two"]),
        ("one\n\ntwo", 20, ["one", "", "two"]),
        # No longer than it has to be, and both of about the same length.
        ("aaaa bbbb cccc dddd e", 18, ["aaaa bbbb", "cccc dddd e"]),
        ("a well-known word", 8, ["a well-", "known", "word"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("强化学习第一步", 8, ["强化学习", "第一步"]),
        # Marks neither begin a line nor, opening ones, end one.
        ("强化学习。第一步", 8, ["强化学", "习。第", "一步"]),
        ("强化学「第一步」", 8, ["强化学", "「第一", "步」"]),
        ("ですカートだ", 6, ["です", "カー", "トだ"]),
        # Korean has words.
        ("강화 학습 단계", 9, ["강화 학습", "단계"]),
        ("用 PPO 训练", 6, ["用 PPO", "训练"]),
    ],
)
def test_lines(text, width, lines):
    assert wrapped(text, width, columns) == lines


@given(st.text("ab cd-。「漢字かなー한 \n", max_size=40), st.integers(2, 20))
def test_nothing_is_lost_and_all_lines_fit(text, width):
    lines = wrapped(text, width, columns)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "").replace("\n", "")
    assert all(columns(line) <= max(width, 4) for line in lines)
