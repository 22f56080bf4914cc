"""For those who carry on: walks that lead somewhere, and what GitHub and pre-commit read."""

import re
from typing import Any

import yaml

import lerax_render
from support.paths import ROOT

CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()


def read(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text())


def test_what_contributors_are_sent_to_is_there():
    places = re.findall(r"`(\w[\w.]*)`(?: of `\w+`)? in `((?:src|tests)/[\w/.]+)`", CONTRIBUTING)
    assert len(places) >= 8
    for name, file in places:
        for part in name.split("."):
            assert re.search(rf"\b{part}\b", (ROOT / file).read_text()), f"{name} in {file}"
    for arguments in re.findall(r"make test ARGS=\"(tests/.*?)\"", CONTRIBUTING):
        assert all((ROOT / argument).exists() for argument in arguments.split()), arguments


def test_there_are_five_walks_and_each_ends_with_a_look():
    walks = re.findall(r"^### To add .*?\n\n(.*?)(?=^##)", CONTRIBUTING, re.M | re.S)
    assert len(walks) == 5
    for walk in walks:
        assert "must pass: `make test" in walk
        assert "Look: " in re.findall(r"^\d\. .*", walk, re.M)[-1]


def test_commits_are_checked_by_what_lints():
    hooks = [hook for repo in read(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.M)
    assert [hook["entry"] for hook in hooks] == [line.strip() for line in lint[1].splitlines()]
    # Nothing is downloaded, and files that a commit leaves alone are checked too: types need all.
    assert {(hook["language"], hook["pass_filenames"]) for hook in hooks} == {("system", False)}


def test_the_workflow_tests_builds_the_docs_and_packages_a_tag():
    jobs = read(".github/workflows/ci.yml")["jobs"]
    ran = {name: [step.get("run") for step in job["steps"]] for name, job in jobs.items()}
    assert ".ci/run" in ran["test"]
    assert "make docs" in ran["docs"]
    assert ".venv/bin/hatchling build" in ran["package"]
    assert "refs/tags/" in jobs["package"]["if"]
    assert set(jobs["package"]["needs"]) == {"test", "docs"}
    assert "secrets." not in (ROOT / ".github/workflows/ci.yml").read_text()
    assert all("timeout-minutes" in job for job in jobs.values())


def test_an_issue_says_what_doctor_says():
    form = read(".github/ISSUE_TEMPLATE/bug.yml")
    fields = {field["id"]: field for field in form["body"]}
    assert "lerax-render doctor" in fields["doctor"]["attributes"]["description"]
    assert fields["doctor"]["validations"]["required"]


def test_the_citation_is_of_this_version():
    citation = read("CITATION.cff")
    assert citation.keys() >= {"cff-version", "message", "title", "authors"}
    assert citation["version"] == lerax_render.__version__
    assert citation["license"] == "Apache-2.0"
