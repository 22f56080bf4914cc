"""What these tests share."""

import pytest

from lerax_render.paint2d import pygame


@pytest.fixture(autouse=True)
def no_display():
    """Gymnasium's environments, for one, start pygame's display and leave it so."""
    pygame.quit()
