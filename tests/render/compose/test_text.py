"""Letters of any script, from whichever font has them."""

import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest

from lerax_render.compose import fonts
from lerax_render.compose.fonts import face_of, language_of
from lerax_render.compose.text import check_text, clusters, text_mask, warn_of_missing
from lerax_render.errors import RenderWarning

PIXELS = 22
# A cuneiform sign.
NOBODYS = "\U00012000"
SCRIPTS = {
    "Latin": "Łódź, čšž, Größe – ¿qué?",
    "Greek": "πολιτική ἀρχή θάλασσα",
    "Cyrillic": "Привет",
    "maths": "∑ ∫ θ̇ ≤ ∞ \N{DOUBLE-STRUCK CAPITAL R} x² ∈ ∀ ∂ ∇ ≈ ⟨x⟩ 〈x〉 ∅ ⊂ ← ⇒",
    "emoji": "🚀 ✓ ★",
    "Chinese": "强化学习、第一步。",
    "Japanese": "倒立振子カートポールです",
    "Korean": "강화 학습 단계",
}


def is_drawn(character):
    return bool((text_mask(character, PIXELS) > 0.5).any())


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_character_is_drawn_as_itself(script):
    if script not in ("Latin", "Cyrillic"):
        pytest.importorskip("manimgx_fonts")
        pytest.importorskip("manimgx_fonts_cjk")
    text = SCRIPTS[script]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_missing([text])
    letters = {each for each in clusters(text) if each != " "}
    assert all(map(is_drawn, letters))
    assert len({text_mask(each, PIXELS).tobytes() for each in letters}) == len(letters)


@pytest.mark.parametrize("text", SCRIPTS.values())
@pytest.mark.parametrize("pixels", [11, 24])
def test_all_lines_are_equally_high(text, pixels):
    assert text_mask(text, pixels).shape[0] == text_mask("a", pixels).shape[0]


@pytest.mark.skipif(face_of(NOBODYS, "zh") is not None, reason="a font here has it")
def test_what_no_font_has_is_named_and_a_box():
    with pytest.warns(RenderWarning, match=r"no font here has .* \(U\+12000\)") as caught:
        warn_of_missing([f"a{NOBODYS}b", "fine", NOBODYS])
    assert len(caught) == 1
    assert str(caught[0].message).count("12000") == 1
    assert "pip install 'lerax-render[fonts]'" in str(caught[0].message)
    mask = text_mask(NOBODYS, PIXELS)
    rows, columns = np.nonzero(mask)
    inside = mask[rows.min() + 3 : rows.max() - 2, columns.min() + 3 : columns.max() - 2]
    assert is_drawn(NOBODYS)
    assert not inside.any()


def test_a_letter_in_a_style_that_no_font_has_is_the_plain_one():
    styled = "\U0001d7f6"  # a digit in a fixed width
    if face_of(styled, "zh") is None:
        np.testing.assert_array_equal(text_mask(styled, PIXELS), text_mask("0", PIXELS))


@pytest.mark.parametrize("pixels", [11, 13, 22])
def test_a_mark_stands_on_its_letter(pixels):
    pytest.importorskip("manimgx_fonts")
    plain, dotted = text_mask("θ", pixels), text_mask("θ̇", pixels)
    assert dotted.shape == plain.shape
    mark = np.flatnonzero((dotted > plain + 0.3).any(axis=0))
    letter = np.flatnonzero((plain > 0.5).any(axis=0))
    assert abs(mark.mean() - letter.mean()) < 2
    top = [np.flatnonzero((mask > 0.3).any(axis=1))[0] for mask in (dotted, plain)]
    assert top[0] < top[1]


def test_characters_come_with_their_marks():
    assert clusters("e\u0301θ\u0307x") == ["é", "θ\u0307", "x"]
    assert clusters("👩\u200d🚀\ufe0f\u200b!") == ["👩", "🚀", "!"]
    assert clusters("a\tb") == ["a", " ", "b"]


def test_han_characters_are_drawn_as_in_the_texts_own_language():
    assert [language_of(text) for text in ("骨", "骨です", "骨 학습", "bone")] == [
        *("zh", "ja", "ko", "zh")
    ]
    pytest.importorskip("manimgx_fonts_cjk")
    assert (text_mask("骨", PIXELS, "zh") != text_mask("骨", PIXELS, "ja")).any()


@pytest.mark.parametrize(
    ("text", "script"), [("שלום", "Hebrew"), ("سلام", "Arabic"), ("नमस्ते", "Devanagari")]
)
def test_scripts_that_are_not_laid_out_are_refused(text, script):
    with pytest.raises(ValueError, match=f"caption .* has {script} letters"):
        check_text("caption", text)
    check_text("caption", " ".join(SCRIPTS.values()))


def test_the_system_is_asked_for_what_the_packages_have_not(monkeypatch, tmp_path):
    if shutil.which("fc-match") is not None:
        found = fonts._asked("é", "zh")
        assert Path(found.path).is_file()
        assert fonts._has(found, "é")
    # Without fontconfig, in Debian's usual places.
    monkeypatch.setenv("PATH", str(tmp_path))
    usual = [path for path, _ in fonts._USUAL if Path(path).is_file()]
    found = fonts._asked("é", "zh")
    assert found == (fonts.Face(usual[0]) if usual else None)
