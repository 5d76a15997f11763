"""An import contract of ours: another's context is entered by its doors, or not at all."""

from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class DoorsContract(Contract):
    """Every import into a context from outside must end at a door, or at wiring for a wirer."""

    type_name = "doors"

    root = fields.StringField()
    contexts = fields.ListField(subfield=fields.StringField())
    doors = fields.ListField(subfield=fields.StringField())
    wiring = fields.ListField(subfield=fields.StringField())
    wirers = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002, FBT001 - the library decides the signature.
        """Name every import that steps into a private file of another context."""
        contexts = self._folders(self.contexts)
        wirers = self._folders(self.wirers)
        doors = set(cast("list[str]", self.doors))
        wiring = set(cast("list[str]", self.wiring))
        strangers: list[tuple[str, str]] = []
        for imported in sorted(graph.modules):
            home, room = _address(imported)
            if home not in contexts or room in doors:
                continue
            for importer in sorted(graph.find_modules_that_directly_import(imported)):
                visitor, _ = _address(importer)
                wires = visitor in wirers and room in wiring
                if visitor != home and not wires:
                    strangers.append((importer, imported))
        return ContractCheck(kept=not strangers, metadata={"strangers": strangers})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print one line per import that did not use a door."""
        strangers = cast("list[tuple[str, str]]", check.metadata["strangers"])
        for importer, imported in strangers:
            output.print_error(f"{importer} walks into {imported}; use its public door")

    def _folders(self, names: object) -> set[str]:
        return {f"{self.root}.{name}" for name in cast("list[str]", names)}


def _address(module: str) -> tuple[str, str]:
    """A module's folder and the room in it: guilder.ledger.store is in (guilder.ledger, store)."""
    parts = module.split(".")
    return ".".join(parts[:2]), parts[2] if len(parts) > 2 else ""
