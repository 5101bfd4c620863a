"""Templates import the macros that they use; only a template that is included sees those of another."""

import re

import pytest
from jinja2 import meta, nodes

from services.portal.pages.rendering import TEMPLATES, environment

SOURCES = {
    file.relative_to(TEMPLATES).as_posix(): file.read_text(encoding="utf-8") for file in TEMPLATES.rglob("*.html")
}
INCLUDED = {name for source in SOURCES.values() for name in re.findall(r'include "([^"]+\.html)"', source)}


def imported(tree: nodes.Template) -> set[str]:
    return {node.target for node in tree.find_all(nodes.Import)} | {
        name if isinstance(name, str) else name[1] for node in tree.find_all(nodes.FromImport) for name in node.names
    }


TREES = {name: environment().parse(source) for name, source in SOURCES.items()}
MACROS = set().union(*map(imported, TREES.values()))


@pytest.mark.parametrize("name", sorted(SOURCES.keys() - INCLUDED))
def test_a_template_imports_the_macros_that_it_uses(name: str) -> None:
    tree = TREES[name]
    assert meta.find_undeclared_variables(tree) & MACROS <= imported(tree)
    used = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "load"}
    for part in INCLUDED:
        if f'"{part}"' in SOURCES[name]:
            used |= meta.find_undeclared_variables(TREES[part])
    assert imported(tree) <= used
