"""Replacing what is inside MiniStack, and the loud failure when that has changed."""

from __future__ import annotations

from types import ModuleType

import pytest

from local_cloud.replacements import ChangedInside, replace, require


@pytest.fixture
def module() -> ModuleType:
    """A module with one function and one table."""
    made = ModuleType("ministack.services.glue")
    made.start = lambda data, *, wait=True: (data, wait)  # type: ignore[attr-defined]
    made.states = {}  # type: ignore[attr-defined]
    return made


def test_replaces_and_returns_the_original(module: ModuleType) -> None:
    original = replace(module, "start", lambda data, wait: "ours", parameters=("data", "wait"))
    assert original("run") == ("run", True)
    assert module.start("run", wait=False) == "ours"


def test_requires_a_name_of_any_kind_without_parameters(module: ModuleType) -> None:
    assert require(module, "states") is module.states


@pytest.mark.parametrize(
    ("name", "parameters", "said"),
    [
        ("stop", ("data",), "ministack.services.glue.stop is gone"),
        ("start", ("data",), "ministack.services.glue.start takes (data, wait), not (data)"),
        ("start", ("wait", "data"), "takes (data, wait), not (wait, data)"),
        ("states", ("data",), "ministack.services.glue.states is no function"),
    ],
)
def test_a_changed_inside_is_an_error_and_changes_nothing(
    module: ModuleType, name: str, parameters: tuple[str, ...], said: str
) -> None:
    before = dict(vars(module))
    with pytest.raises(ChangedInside) as caught:
        replace(module, name, lambda data: None, parameters=parameters)
    assert said in str(caught.value)
    assert "MiniStack 1.5.33" in str(caught.value)
    assert vars(module) == before
