"""Mutants of a function: its source with one small thing changed, by syntax tree, in a fixed order."""

import ast
import copy
import inspect
import sys
import textwrap
import warnings

OPERATORS = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult, ast.FloorDiv),
    ast.FloorDiv: (ast.Div, ast.Mult),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
    ast.BitOr: (ast.BitAnd,),
    ast.BitAnd: (ast.BitOr,),
    ast.LShift: (ast.RShift,),
    ast.RShift: (ast.LShift,),
}
COMPARISONS = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq, ast.GtE),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
METHODS = {
    "sum": ("mean", "amax"),
    "mean": ("sum",),
    "max": ("min",),
    "min": ("max",),
    "amax": ("amin", "mean"),
    "std": ("var",),
    "var": ("std",),
    "exp": ("expm1",),
    "log": ("log1p", "log2"),
    "softmax": ("log_softmax", "sigmoid"),
    "sigmoid": ("tanh",),
    "softplus": ("relu", "silu"),
    "cos": ("sin",),
    "sin": ("cos",),
    "floor": ("ceil",),
    "zeros": ("ones",),
    "square": ("abs",),
    "maximum": ("minimum",),
    "minimum": ("maximum",),
    "clamp": ("clamp_",),
    "add": ("add_",),
    "mul": ("mul_",),
    "masked_fill": ("masked_fill_",),
    "detach": ("clone",),
    "unsqueeze": ("squeeze",),
}


def source_of(reference):
    """The reference's own source, without decorators of a test's hook, as a syntax tree of one definition."""
    return ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(reference))))


def mutants(reference, detached=True):
    """Yield the source of each mutant, each once, in the order of the source's syntax tree.

    detached: with ``.detach()`` set in, too, which changes nothing where no gradient is asked for.
    """
    tree = source_of(reference)
    original = ast.unparse(tree)
    seen = {original}
    for parent, field, index, node in list(_places(tree.body[0])):
        for replacement in _replacements(node, tree.body[0], detached):
            _put(parent, field, index, replacement)
            try:
                text = ast.unparse(ast.fix_missing_locations(tree))
            except (AttributeError, ValueError):  # a tree that no source has
                text = original
            _put(parent, field, index, node)
            if text not in seen and _compiles(text):
                seen.add(text)
                yield text


def made(reference, source):
    """The function or class that a mutant's source defines, in a copy of the reference's module."""
    plain = inspect.unwrap(reference)
    scope = dict(vars(sys.modules[plain.__module__]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # `1 is None`, and such
        exec(compile(source, f"<mutant of {plain.__name__}>", "exec", dont_inherit=True), scope)
    return scope[plain.__name__]


def change(reference, source):
    """What a mutant changes: the lines that differ, before → after."""
    before, after = ast.unparse(source_of(reference)).splitlines(), source.splitlines()
    gone = [line.strip() for line in before if line not in after]
    come = [line.strip() for line in after if line not in before]
    return f"{' ; '.join(gone) or '(nothing)'}  →  {' ; '.join(come) or '(dropped)'}"


def _compiles(text):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _places(node):
    """Every node below one with its place in its parent; no annotations, documentation, decorators or messages."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "ctx", "type_params"):
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            documents = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
            if not isinstance(child, ast.AST) or documents:
                continue
            yield node, field, index, child
            if not isinstance(child, ast.Raise):
                yield from _places(child)


def _put(parent, field, index, node):
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def _replacements(node, definition, detached):
    if isinstance(node, ast.stmt):
        return [ast.Pass(), *_statements(node)]
    cut_off = _detached(node) if detached and isinstance(node, ast.expr) else ()
    return [*_expressions(node, definition), *cut_off]


def _statements(node):
    if isinstance(node, ast.If):
        yield from (_with(node, test=ast.Constant(value)) for value in (True, False))
    elif isinstance(node, ast.AugAssign):
        yield from (_with(node, op=other()) for other in OPERATORS.get(type(node.op), ()))
        value = ast.BinOp(_load(node.target), node.op, node.value)
        yield ast.Assign([node.target], value)
    elif isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp) and isinstance(node.value.left, ast.Name):
        place = ast.Name(node.value.left.id, ast.Store())  # in place: x += y; z = x for z = x + y
        yield ast.If(ast.Constant(True), [ast.AugAssign(place, node.value.op, node.value.right),
                                          ast.Assign(node.targets, node.value.left)], [])  # fmt: skip


def _expressions(node, definition):
    if isinstance(node, ast.BinOp):
        yield from (_with(node, op=other()) for other in OPERATORS.get(type(node.op), ()))
        yield from (node.left, node.right, _with(node, left=node.right, right=node.left))
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.BoolOp):
        yield from node.values
        yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    elif isinstance(node, ast.Compare):
        others = COMPARISONS.get(type(node.ops[0]), ())
        yield from (_with(node, ops=[other(), *node.ops[1:]]) for other in others)
    elif isinstance(node, ast.IfExp):
        yield from (node.body, node.orelse)
    elif isinstance(node, ast.Constant):
        yield from _constants(node.value)
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, ast.Slice):
        yield from _slices(node)
    elif isinstance(node, ast.Subscript):
        yield node.value
    elif isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load) and len(node.elts) > 1:
        yield _with(node, elts=[node.elts[1], node.elts[0], *node.elts[2:]])
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield from _names(node, definition)


def _constants(value):
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        yield from (ast.Constant(other) for other in (value + 1, value - 1, 2 * value, -value))


def _calls(node):
    for i in range(len(node.keywords)):
        yield _with(node, keywords=[*node.keywords[:i], *node.keywords[i + 1 :]])
    for i in range(len(node.args)):
        yield _with(node, args=[*node.args[:i], *node.args[i + 1 :]])
    for i in range(len(node.args) - 1):
        yield _with(node, args=[*node.args[:i], node.args[i + 1], node.args[i], *node.args[i + 2 :]])
    if isinstance(node.func, ast.Attribute):
        yield node.func.value  # x.f() → x
        others = METHODS.get(node.func.attr, ())
        yield from (_with(node, func=_with(node.func, attr=other)) for other in others)
    if node.args:
        yield node.args[0]  # f(x) → x


def _slices(node):
    for bound in ("lower", "upper"):
        old = getattr(node, bound)
        yield _with(node, **{bound: None})
        if old is not None:
            yield from (_with(node, **{bound: ast.BinOp(old, op, ast.Constant(1))}) for op in (ast.Add(), ast.Sub()))


def _names(node, definition):
    """Another parameter of the same type in this one's place; off by one."""
    arguments = getattr(definition, "args", None)
    known = {a.arg: ast.dump(a.annotation) if a.annotation else "" for a in arguments.args} if arguments else {}
    if node.id in known:
        same = [other for other, kind in known.items() if other != node.id and kind == known[node.id]]
        yield from (ast.Name(other, ast.Load()) for other in same)
        if known[node.id] == ast.dump(ast.Name("int", ast.Load())):
            yield from (ast.BinOp(node, op, ast.Constant(1)) for op in (ast.Add(), ast.Sub()))


def _detached(node):
    if isinstance(node, ast.Name | ast.Call | ast.BinOp) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        yield ast.Call(ast.Attribute(node, "detach", ast.Load()), [], [])


def _with(node, **changes):
    other = copy.copy(node)
    for field, value in changes.items():
        setattr(other, field, value)
    return other


def _load(target):
    other = copy.copy(target)
    other.ctx = ast.Load()
    return other
