import pytest

from lerax_render.video.byte_sizes import human_size, parsed_size


@pytest.mark.parametrize(
    ("text", "size"),
    [("10MB", 10_000_000), ("500 kB", 500_000), ("1.5mb", 1_500_000), ("17", 17), ("2 GB", 2e9)],
)
def test_sizes_are_read(text, size):
    assert parsed_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-3MB", "10MiB", "ten", "0", "1e3", "0.1", "9" * 400])
def test_what_is_no_size(text):
    with pytest.raises(ValueError, match="expected a size such as 10MB or 500kB, got"):
        parsed_size(text)


def test_sizes_are_told_in_the_same_units():
    assert human_size(17) == "17 bytes"
    assert human_size(2_340_000) == "2.34 MB"
    assert parsed_size(human_size(1500)) == 1500
