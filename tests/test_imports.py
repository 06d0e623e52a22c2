"""Imports within the package: no circles, and from the page down to the model and the data only."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.places import ROOT

PACKAGE = "m2rec"
# folder → the folders that it may import from, besides its own and the files of m2rec/ itself
MAY_IMPORT = {
    "data": set(),
    "model": set(),
    "inference": {"model"},  # names, settings and shapes; PyTorch is not imported (tests/ui/web/test_start.py)
    "baselines": {"data", "model"},
    "training": {"data", "model", "evaluation", "worlds"},
    "evaluation": {"data", "model"},
    "recommend": {"data", "inference", "model"},
    "scoring": {"data", "inference", "recommend"},
    "worlds": {"data", "model", "training"},
    "ui": {"data", "evaluation", "inference", "model", "recommend", "worlds"},
}
# the race, a short benchmark that the page runs live, and the shape of a world for it
RACE = {"m2rec.benchmark.speed.race", "m2rec.benchmark.speed.shapes"}


def module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.AST, *, whole: bool) -> Iterator[tuple[str, list[str]]]:
    """Modules named by import statements with what is taken from them.

    With `whole` all of a file counts; without it, only what runs when the module is imported: not the bodies of
    functions, nor what stands under `if TYPE_CHECKING`.
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module, [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif not whole and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        elif not whole and isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for other in node.orelse:
                yield from imports(other, whole=whole)
        else:
            yield from imports(node, whole=whole)


def graph(root: Path, *, whole: bool) -> dict[str, set[str]]:
    """Module → the modules of the package that it imports."""
    files = {module_name(path, root): path for path in (root / PACKAGE).rglob("*.py")}
    found: dict[str, set[str]] = {}
    for name, path in files.items():
        used = found.setdefault(name, set())
        for module, taken in imports(ast.parse(path.read_text(encoding="utf-8")), whole=whole):
            inside = {f"{module}.{one}" for one in taken} & files.keys()
            used |= inside
            if module in files and (len(inside) < len(taken) or not taken):  # a name of the module itself
                used.add(module)
    return found


def circle(modules: dict[str, set[str]]) -> list[str]:
    """The modules of one circle in order, or an empty list."""
    try:
        TopologicalSorter(modules).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_modules_import_each_other_in_a_circle() -> None:
    modules = graph(ROOT, whole=False)
    assert len(modules) > 200
    assert circle(modules) == []


def test_a_circle_would_be_found(tmp_path: Path) -> None:
    folder = tmp_path / PACKAGE
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "one.py").write_text("try:\n    from m2rec import two\nexcept ImportError:\n    two = None\n")
    (folder / "two.py").write_text("from m2rec.three import x\n")
    (folder / "three.py").write_text("import m2rec.one\nx = 1\n")
    assert set(circle(graph(tmp_path, whole=False))) == {"m2rec.one", "m2rec.two", "m2rec.three"}
    (folder / "three.py").write_text("def later():\n    import m2rec.one\nx = 1\n")
    assert circle(graph(tmp_path, whole=False)) == []


def test_imports_point_one_way() -> None:
    """Including imports inside functions and imports only for types."""
    wrong = []
    for name, used in graph(ROOT, whole=True).items():
        own = name.split(".")[1] if "." in name else ""
        for other in used - RACE:
            folder = other.split(".")[1] if "." in other else ""
            if own in MAY_IMPORT and (ROOT / PACKAGE / folder).is_dir() and folder not in {"", own, *MAY_IMPORT[own]}:
                wrong.append(f"{name} → {other}")
    assert sorted(wrong) == []


def test_only_commands_and_benchmark_import_commands_and_benchmark() -> None:
    own = (f"{PACKAGE}.commands", f"{PACKAGE}.benchmark")
    users = {
        name: inside
        for name, used in graph(ROOT, whole=True).items()
        if not name.startswith(own) and (inside := {one for one in used if one.startswith(own)})
    }
    assert users.pop(f"{PACKAGE}.__main__") == {f"{PACKAGE}.commands.app"}
    assert {name: used - RACE for name, used in users.items() if used - RACE} == {}
