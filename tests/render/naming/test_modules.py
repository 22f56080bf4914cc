"""Modules and files that a user names: run once, each with its own neighbours, or said why not."""

import importlib
import os
import sys
import threading
from pathlib import Path

import jax
import pytest

from lerax_render.batch.clip import Clip
from lerax_render.cli import commands as cli
from lerax_render.naming.loading import load_env, load_policy
from lerax_render.naming.modules import module_in
from support.paths import ROOT

ORBIT = (ROOT / "examples" / "custom_environment.py").read_text()


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write files, by their paths in the test's folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [folder for folder in sys.path if folder])

    def write(files: dict[str, str]) -> None:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return write


def test_a_file_is_run_once(write, tmp_path):
    write({"envs.py": "", "policies/other.py": ""})
    (tmp_path / "link.py").symlink_to("envs.py")
    module = module_in("envs.py")

    assert module_in(tmp_path / "policies" / ".." / "envs.py") is module
    assert module_in("link.py") is module
    assert module_in("policies/other.py") is not module


def test_a_second_clip_compiles_nothing(write, caplog):
    write({"envs.py": ORBIT})
    clip = Clip(env="envs.py:Orbit", steps=4, width=32, height=24, format="gif")
    with jax.log_compiles():
        clip.record()
        assert any("XLA compilation of jit" in record.message for record in caplog.records)
        caplog.clear()
        clip.record()
    assert not [r.message for r in caplog.records if "XLA compilation of jit" in r.message]


@pytest.mark.parametrize("where", ["envs.py", "policies.py"])
def test_environment_and_policy_of_a_folder_know_each_others_classes(write, tmp_path, where):
    policies = "from lerax.policy import MLPActorCriticPolicy\nclass Own(MLPActorCriticPolicy): ..."
    write(
        {
            "policies.py": policies,
            "envs.py": "from lerax.env.classic_control import CartPole\nfrom policies import Own\n"
            "class Env(CartPole):\n"
            "    def policy_class(self): return Own",
        }
    )
    env = load_env("envs.py:Env")
    env.policy_class()(env, feature_size=4, key=jax.random.key(0)).serialize("policy.eqx")
    jax.effects_barrier()
    policy = load_policy("policy.eqx", f"{where}:Own", env, {"feature_size": 4})

    assert type(policy) is env.policy_class()


def test_a_changed_file_is_run_anew(write):
    write({"envs.py": "size = 1"})
    before = module_in("envs.py")
    # Of the same length, and within the second.
    write({"envs.py": "size = 2"})

    assert module_in("envs.py").size == 2
    assert before.size == 1
    assert module_in("envs.py") is module_in("envs.py")


def test_a_file_is_run_anew_when_its_neighbour_has_changed(write):
    write({"envs.py": "from helpers.sizes import size", "helpers/sizes.py": "size = 1"})
    assert module_in("envs.py").size == 1
    write({"helpers/sizes.py": "size = 2"})
    assert module_in("envs.py").size == 2
    (Path("helpers/sizes.py")).unlink()
    with pytest.raises(ValueError, match=r"No module named 'helpers\.sizes'"):
        module_in("envs.py")


def test_files_of_one_name_in_two_folders(write):
    write({f"{folder}/envs.py": f"name = {folder!r}" for folder in ("one", "two")})

    assert [module_in(f"{folder}/envs.py").name for folder in ("one", "two")] == ["one", "two"]
    assert module_in("one/envs.py").name == "one"


IMPORTS = {
    "module": "import helpers\nname = helpers.name",
    "name": "from helpers import name",
    "all": "from helpers import *",
    "submodule": "import package.inner\nname = package.inner.name",
    "submodule as": "import package.inner as inner\nname = inner.name",
    "from a package": "from package import inner\nname = inner.name",
    "relative": "from .helpers import name",
    "a plain folder": "from plain.inner import name",
    "through another": "from chain import name",
    "through a package": "from package.chain import name",
}


@pytest.mark.parametrize("how", IMPORTS)
def test_each_folder_has_its_own_neighbours(write, how):
    path, modules = list(sys.path), set(sys.modules)
    for folder in ("one", "two"):
        named = f"name = {folder!r}"
        write(
            {
                f"{folder}/envs.py": IMPORTS[how],
                f"{folder}/helpers.py": named,
                f"{folder}/package/__init__.py": "",
                f"{folder}/package/inner.py": named,
                f"{folder}/package/chain.py": "from helpers import name",
                f"{folder}/plain/inner.py": named,
                f"{folder}/chain.py": "import helpers\nname = helpers.name",
            }
        )

    assert module_in("one/envs.py").name == "one"
    assert module_in("two/envs.py").name == "two"
    # Nothing of it is where another part of the program would find it.
    assert sys.path == path
    assert not {"helpers", "package", "plain", "chain", "envs"} & (set(sys.modules) - modules)


def test_neighbours_that_are_imported_later(write):
    for folder in ("one", "two"):
        text = "def name():\n    import helpers\n    return helpers.name"
        write({f"{folder}/envs.py": text, f"{folder}/helpers.py": f"name = {folder!r}"})
    modules = [module_in(f"{folder}/envs.py") for folder in ("one", "two")]

    assert [module.name() for module in modules] == ["one", "two"]


@pytest.mark.parametrize("first", ["module", "file"])
def test_neighbours_do_not_depend_on_what_was_loaded_before(write, monkeypatch, first):
    near = "from lerax.env.classic_control import CartPole\nclass Env(CartPole): ..."
    write({"envs.py": "from near_envs import Env", "near_envs.py": near})
    monkeypatch.delitem(sys.modules, "near_envs", raising=False)
    if first == "module":
        load_env("near_envs:Env")
    assert type(load_env("envs.py:Env")) is type(load_env("near_envs.py:Env"))


def test_what_is_installed_is_there_once(write, tmp_path, monkeypatch):
    """As where the file lies among a project's packages, or is named like one."""
    write({"site/envs.py": "import near_library as library", "site/near_library.py": ""})
    monkeypatch.syspath_prepend(tmp_path / "site")
    library = module_in("site/envs.py").library
    assert library is sys.modules.pop("near_library")


def test_a_plain_folder_and_the_file_itself_hide_no_library(write):
    write({"optax.py": "import optax, jaxtyping, sys", "jaxtyping/notes.txt": ""})
    module = module_in("optax.py")
    assert module.optax is sys.modules["optax"]
    assert module.jaxtyping is sys.modules["jaxtyping"]
    assert module.sys is sys


@pytest.mark.parametrize("name", ["my-env.py", "my.env.py", "my env.py", "__init__.py", "1.py"])
def test_files_that_no_import_could_name(write, name):
    write({name: "import helpers", "helpers.py": "", "my/env.py": "other = 1"})
    assert module_in(name).helpers.__file__ == os.path.realpath("helpers.py")


def test_threads_that_load_one_file_get_one_module(write):
    write({"envs.py": "import time; time.sleep(0.2)"})
    found = []
    threads = [threading.Thread(target=lambda: found.append(module_in("envs.py"))) for _ in "1234"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [found[0]] * 4


FAILURES = {
    "missing": ("import numpyy", "`import numpyy`: ModuleNotFoundError: No module named 'numpyy'"),
    "of a like name": ("import broke", "`import broke`: ModuleNotFoundError: No module named"),
    "itself": ("import broken.inner", r"`import broken\.inner`: ModuleNotFoundError"),
    "name": ("from math import pie", "`from math import pie`: ImportError: cannot import name"),
    "in a function": (
        "def f(): import numpyy\nf()",
        "`def f[(][)]: import numpyy`: ModuleNotFoundError",
    ),
    "raised": ("raise ImportError('get it')", ": ImportError: get it"),
    "other": ("1 / 0", "`1 / 0`: ZeroDivisionError: division by zero"),
    "syntax": ("x = = 1", "`x = = 1`: SyntaxError: invalid syntax"),
    "exit": ("import sys\nsys.exit(2)", "SystemExit: 2"),
}


@pytest.mark.parametrize("spec", ["broken:Env", "broken.py:Env"])
@pytest.mark.parametrize("kind", FAILURES)
def test_what_fails_inside_a_module_is_said(write, monkeypatch, spec, kind):
    text, message = FAILURES[kind]
    monkeypatch.delitem(sys.modules, "broken", raising=False)
    write({"broken.py": text})
    with pytest.raises(ValueError, match=rf"broken.* failed in \S*broken\.py, line \d.*{message}"):
        load_env(spec)
    write({"broken.py": "from lerax.env.classic_control import CartPole as Env"})
    importlib.invalidate_caches()
    assert load_env(spec).name == "CartPole"
    sys.modules.pop("broken", None)


@pytest.mark.parametrize("spec", ["outer:Env", "outer.py:Env"])
@pytest.mark.parametrize(
    "text", ["import numpyy", "from math import pie", "from lerax.env import A"]
)
def test_what_fails_in_what_a_module_imports_is_said(write, monkeypatch, spec, text):
    write({"outer.py": "from broken_inner import Env", "broken_inner.py": text})
    for name in ("outer", "broken_inner"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(ValueError, match=rf"broken_inner\.py, line 1, `{text}`: \w+: .*") as error:
        load_env(spec)
    assert "_lerax_render" not in str(error.value)


def test_a_name_that_a_neighbour_lacks_is_said_in_the_users_words(write):
    write({"outer.py": "from helpers import Env", "helpers.py": ""})
    with pytest.raises(ValueError, match=r"cannot import name 'Env' from 'helpers' \("):
        load_env("outer.py:Env")


def test_an_attribute_that_is_imported_when_asked_for(write, monkeypatch):
    write({"lazy_envs.py": "def __getattr__(name):\n    import numpyy"})
    monkeypatch.delitem(sys.modules, "lazy_envs", raising=False)
    for spec in ("lazy_envs:Env", "lazy_envs.py:Env"):
        with pytest.raises(ValueError, match=r"lazy_envs\.py, line 2, `import numpyy`"):
            load_env(spec)


def test_the_command_line_says_it_in_a_line(write, capsys):
    write({"broken_envs.py": "import numpyy"})
    with pytest.raises(SystemExit):
        cli.main(["clip", "broken_envs:Env", "--no-cache"])
    assert "line 1, `import numpyy`: ModuleNotFoundError" in capsys.readouterr().err.splitlines()[0]


def test_a_part_of_lerax_that_does_not_run_is_said(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("lerax.env.mujoco")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mujoco", None)
    with pytest.raises(
        ValueError, match=r"no environment named 'Humanoid'.*lerax\.env\.mujoco failed in .*mujoco"
    ):
        load_env("Humanoid")
    assert load_env("CartPole").name == "CartPole"


def test_an_extra_that_is_installed_and_does_not_run_is_not_called_missing(
    write, tmp_path, monkeypatch
):
    write({"site/gymnax/__init__.py": "from jax import no_such_thing"})
    for name in [name for name in sys.modules if name.partition(".")[0] == "gymnax"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path / "site")
    with pytest.raises(
        Exception,
        match=r"gymnax/__init__\.py, line 1, `from jax import no_such_thing`: ImportError",
    ):
        load_env("gymnax:CartPole-v1")


def test_a_gymnasium_module_that_does_not_run_is_said(write, monkeypatch):
    write({"my_gym.py": "import numpyy"})
    monkeypatch.delitem(sys.modules, "my_gym", raising=False)
    with pytest.raises(ValueError, match=r"my_gym\.py, line 1, `import numpyy`"):
        load_env("gym:my_gym:Env-v0")
