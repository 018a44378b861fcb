"""Every backend that this machine has keeps the contract of the port."""

from __future__ import annotations

import pytest

from novum.errors import SandboxError
from novum.sandbox.contract import SandboxContract
from novum.sandbox.open import BACKENDS, lookup
from novum.sandbox.unsafe import Unsafe

ALWAYS = ("bubblewrap", "namespaces")


@pytest.mark.parametrize("name", ALWAYS)
def test_the_default_backends(name: str) -> None:
    sandbox = lookup(name).make()
    assert sandbox.name == name
    SandboxContract(lambda: sandbox).check_all()


@pytest.mark.parametrize("name", sorted(set(BACKENDS) - set(ALWAYS)))
def test_backends_that_must_be_named(name: str) -> None:
    try:
        sandbox = lookup(name).make()
    except SandboxError as error:
        pytest.skip(f"{name} is not available here: {error.what} {error.why}")
    SandboxContract(lambda: sandbox).check_all()


def test_no_sandbox_at_all_keeps_what_it_can() -> None:
    SandboxContract(Unsafe).check_all()


def test_a_broken_sandbox_breaks_the_contract() -> None:
    class Forgetful(Unsafe):
        name = ""

    with pytest.raises(AssertionError):
        SandboxContract(Forgetful).check_all()
