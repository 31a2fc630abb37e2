"""What a code cell asks of the course: which exercises, cut behind each of them, and whether anything stands beside.

A cell is read as IPython reads it, as a syntax tree: what only looks like a question, in a string, is none.
"""

import ast
import re
from collections.abc import Container
from itertools import pairwise

from IPython.core.inputtransformer2 import TransformerManager

CALLS = {"exercise", "answer", "guess", "hint", "solution", "progress", "reset"}
BY_WORD = re.compile(r"^(?:@exercise|answer)\(\s*[\"']([\w.]+)[\"']", re.M)  # where there is no tree to look at
RUNS_NOTHING = (
    *(ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.Tuple, ast.List, ast.keyword),
    *(ast.UnaryOp, ast.unaryop, ast.BinOp, ast.operator, ast.expr_context),
)


def parsed(source: str) -> ast.Module | None:
    """Return a cell's tree, its magics as the calls that they are; None for what is no Python and cannot run."""
    try:
        return ast.parse(TransformerManager().transform_cell(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def asks(source: str) -> list[str]:
    """Return the exercises that a cell asks by ``@exercise("id")`` or ``answer("id", …)``, each as often as it does."""
    tree = parsed(source)
    if tree is None or source.lstrip().startswith("%%"):
        return BY_WORD.findall(source)
    return [id for node in ast.walk(tree) if (id := asked(node))]


def asked(node: ast.AST) -> str:
    """Return the exercise of a call, '' where it is none."""
    if not isinstance(node, ast.Call) or called(node) not in ("exercise", "answer"):
        return ""
    first = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "id")][:1]
    return next((each.value for each in first if isinstance(each, ast.Constant) and isinstance(each.value, str)), "")


def called(node: ast.Call) -> str:
    """Return the last name of what is called."""
    return getattr(node.func, "id", getattr(node.func, "attr", ""))


def apart(source: str) -> list[str]:
    """Cut a cell that asks several exercises behind each of them: a wrong answer is to end its own part alone."""
    if len(asks(source)) < 2:
        return [source]
    try:
        source = one_a_line(re.sub("\r\n?", "\n", source))
        ends = [statement.end_lineno or 0 for statement in ast.parse(source).body]
    except (SyntaxError, ValueError):
        return [source]
    lines, parts, begin = source.split("\n"), [], 0
    for end in ends:
        part = "\n".join(lines[begin:end])
        if asks(part) or end == ends[-1]:
            parts.append(part)
            begin = end
    return parts


def one_a_line(source: str) -> str:
    """Put each statement that follows another behind a semicolon on a line of its own."""
    lines = source.encode().split(b"\n")  # ast counts bytes
    for before, after in reversed(list(pairwise(ast.parse(source).body))):
        if before.end_lineno == after.lineno:
            line = lines[after.lineno - 1]
            lines[after.lineno - 1 : after.lineno] = [line[: before.end_col_offset], line[after.col_offset :]]
    return b"\n".join(lines).decode()


# --- what stands beside ----------------------------------------------------------------------------------------


def statements(source: str) -> set[str]:
    """Return a cell's statements, each written in a way that spaces and comments do not change."""
    tree = parsed(source)
    return {ast.dump(statement) for statement in tree.body} if tree else set()


def beside(source: str, chapter: Container[str] = ()) -> bool:
    """Return whether a cell runs more than imports, definitions below ``@exercise`` and plain calls of the course's.

    chapter: the statements that may stand there all the same. What a function holds is not looked at: only its check
    runs it.
    """
    tree = parsed(source)
    return tree is not None and not all(ast.dump(each) in chapter or harmless(each) for each in tree.body)


def only_guesses(source: str) -> bool:
    """Return whether a cell holds nothing but calls of ``guess``, with values that are written out."""
    tree = parsed(source)
    body = tree.body if tree else []
    return bool(body) and all(plain_call(each, {"guess"}) for each in body)


def harmless(statement: ast.stmt) -> bool:
    """Return whether a statement does nothing that could deceive a check."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return not {alias.asname or alias.name for alias in statement.names} & {*CALLS, "*"}
    if isinstance(statement, ast.FunctionDef):
        given = statement.args
        typed = [arg.annotation for arg in ast.walk(given) if isinstance(arg, ast.arg)]
        evaluated = [*given.defaults, *given.kw_defaults, *typed, statement.returns]
        decorators = statement.decorator_list
        return (
            len(decorators) == 1
            and plain_call(ast.Expr(decorators[0]), {"exercise"})
            and all(runs_nothing(each) for each in evaluated if each)
        )
    return plain_call(statement, CALLS)


def plain_call(statement: ast.stmt, names: Container[str]) -> bool:
    """Return whether a statement is one call of these names, with arguments that call nothing."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id not in names:
        return False
    return all(runs_nothing(each) for each in [*call.args, *call.keywords])


def runs_nothing(node: ast.AST) -> bool:
    """Return whether an expression consists of constants, names and arithmetic alone."""
    return all(isinstance(each, RUNS_NOTHING) for each in ast.walk(node))
