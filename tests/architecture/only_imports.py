"""An import-linter contract that lists all that some modules may import, the standard library included."""

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


def _within(module: str, packages: set[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


class OnlyImportsContract(Contract):
    """``modules`` and everything below them may import each other and ``allowed`` (with everything below it), nothing
    else.
    """

    type_name = "only_imports"

    modules = fields.SetField(subfield=fields.StringField())
    allowed = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        bound: set[str] = self.modules  # type: ignore[assignment]
        allowed: set[str] = self.allowed  # type: ignore[assignment]
        missing = bound - graph.modules
        if missing:
            raise ValueError(f"no such module: {', '.join(sorted(missing))}")
        output.verbose_print(verbose, f"Checking what {', '.join(sorted(bound))} import")
        refused = sorted(
            (importer, imported)
            for importer in graph.modules
            if _within(importer, bound)
            for imported in graph.find_modules_directly_imported_by(importer)
            if not _within(imported, bound | allowed)
        )
        return ContractCheck(kept=not refused, metadata={"refused": refused})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, imported in check.metadata["refused"]:
            output.print_error(f"{importer} imports {imported}", bold=False)
