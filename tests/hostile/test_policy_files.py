"""A policy's file that is none: never unpickled, no memory for what it claims, one clear error."""

import io
import pickle
import resource
import zipfile
from pathlib import Path

import jax
import numpy as np
import pytest
from jax import numpy as jnp
from jax import random as jr
from lerax.env.classic_control import CartPole
from lerax.policy import MLPActorCriticPolicy

from lerax_render.naming.loading import load_policy

CLASS = "MLPActorCriticPolicy"


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def header(shape: tuple[int, ...], descr: str = "<f4") -> bytes:
    """An array's header, without the array."""
    file = io.BytesIO()
    fields = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, fields)
    return file.getvalue()


def archive(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("a.npy", bytes(100_000_000))
    return file.getvalue()


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("policy") / "policy.eqx"
    MLPActorCriticPolicy(CartPole(), feature_size=8, key=jr.key(7)).serialize(path)
    jax.effects_barrier()
    return path.read_bytes()


def load(path: Path, class_spec: str = CLASS, **arguments: object) -> object:
    return load_policy(path, class_spec, CartPole(), arguments or {"feature_size": 8})


def refused(path: Path, **options: object) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match=f"{path} does not hold the parameters of {CLASS}"):
        load(path, **options)
    # In KiB.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


@pytest.mark.parametrize(
    "make",
    [
        lambda trap: pickle.dumps(trap),
        lambda trap: npy(np.array([trap])),
        lambda trap: npy(np.array(trap)),
        lambda trap: archive(a=np.array([trap])),
        lambda trap: npy(np.zeros(4, np.float32)) + pickle.dumps(trap),
        lambda trap: header((1,), "|O") + pickle.dumps([trap]),
        lambda trap: bytes(32) + npy(np.array([trap])),
    ],
    ids=[
        "pickle",
        "objects",
        "one object",
        "archive",
        "after an array",
        "by hand",
        "after a fingerprint",
    ],
)
def test_nothing_is_unpickled(tmp_path, make):
    sprung = tmp_path / "sprung"
    path = tmp_path / "policy.eqx"
    path.write_bytes(make(Trap(sprung)))
    refused(path)
    assert not sprung.exists()


def test_the_trap_works(tmp_path):
    pickle.loads(pickle.dumps(Trap(tmp_path / "sprung")))
    assert (tmp_path / "sprung").exists()


POLICY_OF_NUMBERS = """
import jax
from lerax.policy import MLPActorCriticPolicy

class Numbers(MLPActorCriticPolicy):
    # Leaves that are no arrays are read by another way.
    temperature: {kind}

    def __init__(self, env, *, key):
        super().__init__(env, feature_size=4, key=key)
        self.temperature = {kind}(1)
"""


@pytest.mark.parametrize("kind", ["bool", "int", "float", "complex"])
def test_numbers_are_not_unpickled_either(tmp_path, kind):
    (tmp_path / "policies.py").write_text(POLICY_OF_NUMBERS.format(kind=kind))
    spec = f"{tmp_path}/policies.py:Numbers"
    policy = load_class(spec)(CartPole(), key=jr.key(0))
    path = tmp_path / "policy.eqx"
    policy.serialize(path)
    jax.effects_barrier()
    whole = path.read_bytes()
    assert load_policy(path, spec, CartPole()).temperature == 1

    # Lerax 0.0.5 turns it into one of JAX's first.
    value = policy.temperature
    forms = [npy(np.asarray(form)) for form in (value, jnp.asarray(value))]
    number = next(form for form in forms if form in whole)
    for object_array in (
        np.array(Trap(tmp_path / "sprung")),
        np.array([Trap(tmp_path / "sprung")]),
    ):
        path.write_bytes(whole.replace(number, npy(object_array)))
        with pytest.raises(ValueError, match="does not hold the parameters"):
            load_policy(path, spec, CartPole())
    assert not (tmp_path / "sprung").exists()


def load_class(spec: str) -> type:
    from lerax_render.naming.loading import _attribute

    return _attribute(spec)


@pytest.mark.parametrize(
    "content",
    [
        header((10**12,)),
        header((2**31, 2**31)),
        header((4, 8), "|S1000000000"),
        header((10**12,)) + bytes(1000),
        bomb(),
        archive(a=np.zeros(4, np.float32)),
        b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535,
        b"\x93NUMPY\x09\x09",
        b"\x93NUMPY\x02\x00\xff\xff\xff\x7f",
        b"PK\x03\x04",
        b"\x80\x04.",
        bytes(1000),
        bytes(32) + header((10**12,)),
        header((), "<i8") * 1000,
        header((), "<i8") + bytes(8) + header((), "<i8"),
    ],
)
def test_what_a_file_claims_takes_no_memory(tmp_path, content):
    path = tmp_path / "policy.eqx"
    path.write_bytes(content)
    refused(path)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.9, 0.9999])
def test_truncated_files(tmp_path, saved, share):
    path = tmp_path / "policy.eqx"
    path.write_bytes(saved[: int(len(saved) * share)])
    refused(path)


def test_another_structure_is_said(tmp_path, saved):
    path = tmp_path / "policy.eqx"
    path.write_bytes(saved)
    load(path)
    refused(path, feature_size=9)
    refused(path, feature_size=8, feature_depth=9)
    path.write_bytes(saved.replace(b"'<f4'", b"'<i4'"))
    refused(path)
    path.write_bytes(saved.replace(b"'<f4'", b"'<f8'"))
    refused(path)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="no policy file"):
        load(tmp_path)
