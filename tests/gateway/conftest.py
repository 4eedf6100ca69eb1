"""The gateway that most tests here talk to."""

from collections.abc import AsyncIterator

import pytest

from tests.gateway.world import World, world


@pytest.fixture
async def gateway() -> AsyncIterator[World]:
    """A gateway without a model and without targets."""
    async with world() as made:
        yield made
