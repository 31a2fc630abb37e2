"""What a notebook's cell defines, read from its source: functions, syntax tree, and the line an error came from."""

import ast
import inspect
import linecache
import traceback
from types import FunctionType
from typing import Any


def own_functions(given: Any) -> list[FunctionType]:
    """Return the functions that a cell's definition consists of: itself, or the methods written in a class."""
    members = vars(given).values() if isinstance(given, type) else [inspect.unwrap(given)]
    return [member for member in members if isinstance(member, FunctionType)]


def own_frames(error: BaseException, given: Any) -> list[traceback.FrameSummary]:
    """Return the places in the learner's own source through which an exception came, the innermost last."""
    cells = {function.__code__.co_filename for function in own_functions(given)}
    return [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in cells]


def own_line(error: BaseException, given: Any) -> str:
    """Say in which line of the cell an exception arose, '' where it was in none."""
    frames = own_frames(error, given)
    if not frames:
        return ""
    number = frames[-1].lineno or 0
    line = linecache.getline(frames[-1].filename, number).strip()
    return f"in line {number} of the cell: {line}" if line else ""


def definition(given: Any) -> ast.AST | None:
    """Return the syntax tree of a function or class as its cell defines it.

    By way of a code object's file and line: inspect.getsource does not find classes of a notebook before Python 3.13.
    """
    functions = own_functions(given)
    if not functions:
        return None
    code = functions[0].__code__
    try:
        cell = ast.parse("".join(linecache.getlines(code.co_filename)))
    except SyntaxError:
        return None
    definitions = [n for n in ast.walk(cell) if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    named = [n for n in definitions if n.name == given.__name__]
    around = [n for n in named if n.lineno - len(n.decorator_list) <= code.co_firstlineno <= (n.end_lineno or 0)]
    return around[-1] if around else None


def body(tree: ast.AST) -> str:
    """Write a definition as text, without decorators, docstring and positions."""
    statements = list(getattr(tree, "body", []))
    first = statements[0] if statements else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        statements = statements[1:]
    if isinstance(tree, ast.ClassDef):
        return "".join(body(part) for part in statements)
    return getattr(tree, "name", "") + "".join(ast.dump(part) for part in statements)


def dots_left(tree: ast.AST) -> list[int]:
    """Return the lines in which a ``...`` stands that is no index."""
    indexed = {id(n) for s in ast.walk(tree) if isinstance(s, ast.Subscript) for n in ast.walk(s.slice)}
    dots = [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and n.value is Ellipsis]
    return sorted(n.lineno for n in dots if id(n) not in indexed)
