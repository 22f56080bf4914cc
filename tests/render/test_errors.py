"""Which errors are told as one line, and which are bugs."""

import pytest

from lerax_render import BackendUnavailableError, Clip, EncodeError
from lerax_render.errors import is_for_users
from lerax_render.settings.texts import parsed_grid
from lerax_render.video import Video


def raised(function, *arguments, **options) -> BaseException:
    with pytest.raises(Exception) as caught:  # noqa: PT011
        function(*arguments, **options)
    return caught.value


@pytest.mark.parametrize(
    "error",
    [
        raised(Clip, env="CartPole", width=0),
        raised(Clip, env="CartPole", width="wide"),
        raised(parsed_grid, "2by3"),
        raised(open, "no such file"),
        BackendUnavailableError("no GL"),
        EncodeError("no space"),
    ],
    ids=repr,
)
def test_what_this_toolkit_says_is_for_users(error):
    assert is_for_users(error)


@pytest.mark.parametrize(
    "error",
    [
        # Python's own, in this toolkit's code.
        raised(parsed_grid, 3),
        # A library's own.
        raised(int, "three"),
        raised(Video, nonsense=1),
        KeyError("a"),
        ValueError("never raised"),
    ],
    ids=repr,
)
def test_what_nobody_foresaw_is_not(error):
    assert not is_for_users(error)
