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


@pytest.mark.parametrize(
    ("size", "text"), [(17, "17 B"), (1500, "1.5 kB"), (2_340_000, "2.34 MB"), (5e9, "5 GB")]
)
def test_sizes_have_three_digits(size, text):
    assert human_size(size) == text
