"""Expressions in a small part of Python, computed by a program of our own: never ``eval``, never more than the limits.

The grammar; a text that fits it is Python, too, and means the same there::

    expression = sum (("==" | "!=" | "<" | "<=" | ">" | ">=") sum)*
    sum        = product (("+" | "-") product)*
    product    = signed (("*" | "//" | "%") signed)*
    signed     = "-" signed | value
    value      = atom ("[" index "]" | "." method "(" arguments ")")*
    index      = expression | [expression] ":" [expression] [":" [expression]]
    atom       = number | string | "True" | "False" | "(" expression ")" | "[" arguments "]"
               | function "(" arguments ")"
    arguments  = [expression ("," expression)* [","]]

Numbers are whole, strings have no backslash. Functions: abs, len, max, min, sorted, sum; methods: count, lower, upper.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Value = int | str | list  # bool is an int, as in Python

TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9]+)(?![0-9A-Za-z_.])|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<string>'[^'\"\\\n]*'|\"[^\"\\\n]*\")|(?P<sign>//|==|!=|<=|>=|[-+*%<>()\[\],.:]))",
    re.ASCII,
)
COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
SUMS: Mapping[str, Callable[[Any, Any], Any]] = {"+": operator.add, "-": operator.sub}
PRODUCTS: Mapping[str, Callable[[Any, Any], Any]] = {
    "*": operator.mul, "//": operator.floordiv, "%": operator.mod,
}  # fmt: skip
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abs": abs, "len": len, "max": max, "min": min, "sorted": sorted, "sum": sum,
}  # fmt: skip
METHODS: Mapping[str, Callable[..., Any]] = {
    "count": lambda whole, part: whole.count(part), "lower": str.lower, "upper": str.upper,
}  # fmt: skip


class ExpressionError(ValueError):
    """A text is no expression of the grammar, or cannot be computed, or goes beyond a limit; the message says which."""


@dataclass(frozen=True)
class Limits:
    """What an expression may use.

    characters: of its text; depth: of brackets and signs in each other; size: characters and elements of a value, those
    inside elements included; digits: of a whole number; steps: operations. No limit may be below 1, and depth not above
    30, so that Python's own limit is not met first. ValueError names the one that is.
    """

    characters: int = 300
    depth: int = 20
    size: int = 1_000
    digits: int = 30
    steps: int = 500

    def __post_init__(self) -> None:
        for name, most in (("characters", None), ("depth", 30), ("size", None), ("digits", None), ("steps", None)):
            value = getattr(self, name)
            if value < 1 or (most is not None and value > most):
                raise ValueError(f"{name}: expected 1{f' to {most}' if most else ' or more'}, got {value}")


@dataclass(frozen=True)
class Node:
    """A piece of an expression: "value" holds one, all others hold a word and the pieces that it is applied to.

    kind: "value", "list", "call", "method", "index", "slice", "minus", "binary" or "compare". A slice has three parts,
    None where nothing stands.
    """

    kind: str
    word: Any = None
    parts: tuple["Node | None", ...] = ()


def tokenize(text: str) -> list[tuple[str, str]]:
    """Return (kind, text) of each sign, name, number and string; ExpressionError at what is none."""
    tokens, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            rest = text[at:].lstrip()
            raise ExpressionError(
                f"{rest[:12]!r} is no part of an expression, at character {len(text) - len(rest) + 1}"
            )
        kind = match.lastgroup
        tokens.append((kind, match[kind]))
        at = match.end()
    return tokens


def evaluate(text: str, limits: Limits | None = None) -> Value:
    """Return the value of an expression; ExpressionError, a ValueError, says what is wrong with any other text."""
    limits = limits or Limits()
    return _Evaluator(limits).value(parse(text, limits))


def parse(text: str, limits: Limits | None = None) -> Node:
    """Return an expression's tree; ExpressionError for what is no expression, or too long or too deep."""
    limits = limits or Limits()
    if len(text) > limits.characters:
        raise ExpressionError(f"the expression has {len(text):,} characters, {limits.characters:,} are allowed")
    parser = _Parser(tokenize(text), limits)
    node = parser.expression()
    if parser.here != "":
        raise ExpressionError(f"{parser.here!r} is one too many behind the expression")
    return node


class _Parser:
    """Reads tokens from left to right; each method takes what its line of the grammar says."""

    def __init__(self, tokens: list[tuple[str, str]], limits: Limits) -> None:
        self.tokens, self.limits = [*tokens, ("end", "")], limits
        self.at = self.depth = 0

    @property
    def here(self) -> str:
        return self.tokens[self.at][1]

    def take(self, expected: str = "") -> str:
        found = self.here
        if expected and found != expected:
            raise ExpressionError(
                f"expected {expected!r}, got {found!r}" if found else f"expected {expected!r} at the end"
            )
        self.at += 1
        return found

    def expression(self) -> Node:
        self.depth += 1
        if self.depth > self.limits.depth:
            raise ExpressionError(f"brackets and signs are more than {self.limits.depth} deep")
        signs, parts = [], [self.left_to_right(SUMS, self.product)]
        while self.tokens[self.at][0] == "sign" and self.here in COMPARISONS:
            signs.append(self.take())
            parts.append(self.left_to_right(SUMS, self.product))
        self.depth -= 1
        return Node("compare", tuple(signs), tuple(parts)) if signs else parts[0]

    def left_to_right(self, signs: Mapping[str, Any], operand: Callable[[], Node]) -> Node:
        node = operand()
        while self.tokens[self.at][0] == "sign" and self.here in signs:
            node = Node("binary", self.take(), (node, operand()))
        return node

    def product(self) -> Node:
        return self.left_to_right(PRODUCTS, self.signed)

    def signed(self) -> Node:
        signs = 0
        while self.tokens[self.at] == ("sign", "-"):
            self.take()
            signs += 1
        if signs + self.depth > self.limits.depth:
            raise ExpressionError(f"brackets and signs are more than {self.limits.depth} deep")
        node = self.atom()
        while self.tokens[self.at] in (("sign", "["), ("sign", ".")):
            node = self.index(node) if self.here == "[" else self.method(node)
        for _ in range(signs):
            node = Node("minus", None, (node,))
        return node

    def index(self, node: Node) -> Node:
        self.take("[")
        places: list[Node | None] = [None]
        while self.here != "]" or len(places) == 1:
            if self.here == ":" and len(places) < 3:
                self.take()
                places.append(None)
            elif places[-1] is None:
                places[-1] = self.expression()
            else:
                break
        self.take("]")
        if len(places) == 1:
            return Node("index", None, (node, places[0]))
        return Node("slice", None, (node, *places, *[None] * (3 - len(places))))

    def method(self, node: Node) -> Node:
        self.take(".")
        name = self.take()
        if name not in METHODS or self.here != "(":
            raise ExpressionError(f"'.{name}' is not allowed; there are {', '.join(f'.{m}()' for m in METHODS)}")
        return Node("method", name, (node, *self.arguments("(", ")")))

    def arguments(self, opening: str, closing: str) -> list[Node]:
        self.take(opening)
        found: list[Node] = []
        while self.here != closing:
            if found:
                self.take(",")
                if self.here == closing:  # a comma may stand behind the last
                    break
            found.append(self.expression())
        self.take(closing)
        return found

    def atom(self) -> Node:
        kind, text = self.tokens[self.at]
        if kind == "number":
            if len(text) > self.limits.digits:
                raise ExpressionError(f"a number has {len(text)} digits, {self.limits.digits} are allowed")
            if text[0] == "0" and text.strip("0"):
                raise ExpressionError(f"{text!r}: a number does not begin with 0")
            return Node("value", int(self.take()))
        if kind == "string":
            return Node("value", self.take()[1:-1])
        if text in ("True", "False"):
            return Node("value", self.take() == "True")
        if kind == "name":
            name = self.take()
            if name not in FUNCTIONS or self.here != "(":
                raise ExpressionError(f"{name!r} is not known; there are {', '.join(f'{f}()' for f in FUNCTIONS)}")
            return Node("call", name, tuple(self.arguments("(", ")")))
        if text == "[":
            return Node("list", None, tuple(self.arguments("[", "]")))
        if text == "(":
            self.take()
            node = self.expression()
            self.take(")")
            return node
        raise ExpressionError(f"expected a value, got {text!r}" if text else "expected a value, the text is at its end")


class _Evaluator:
    """Computes a tree, a step for each piece, and looks at the size of each value before and after it is made."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.steps = limits, 0

    def value(self, node: Node | None) -> Any:
        if node is None:  # of a slice
            return None
        self.steps += 1
        if self.steps > self.limits.steps:
            raise ExpressionError(f"the expression needs more than {self.limits.steps} steps")
        if node.kind == "value":
            return self.small(node.word)
        if node.kind == "compare":
            return self.compared(node)
        parts = [self.value(part) for part in node.parts]
        try:
            return self.small(self.applied(node, parts))
        except (TypeError, IndexError, ValueError, ZeroDivisionError) as error:
            if isinstance(error, ExpressionError):
                raise
            what = {"minus": "-", "index": "[…]", "slice": "[…]", "method": f".{node.word}"}.get(node.kind, node.word)
            raise ExpressionError(f"{what} cannot be computed: {error}") from None

    def applied(self, node: Node, parts: list[Any]) -> Any:
        """Return a piece's value from its parts' values."""
        match node.kind:
            case "list":
                return parts
            case "call":
                return FUNCTIONS[node.word](*parts)
            case "method":
                allowed = (str, list) if node.word == "count" else str
                if not isinstance(parts[0], allowed):
                    raise ExpressionError(f".{node.word}() is for a string{' or a list' * (node.word == 'count')}")
                return METHODS[node.word](*parts)
            case "index":
                return parts[0][parts[1]]
            case "slice":
                return parts[0][slice(*parts[1:])]
            case "minus":
                return -parts[0]
            case _:
                return self.binary(node.word, *parts)

    def binary(self, sign: str, a: Any, b: Any) -> Any:
        """Return a sign b; what would be too large is refused before it is made."""
        numbers = isinstance(a, int) and isinstance(b, int)
        if sign == "%" and not numbers:  # Python would fill a string's places
            raise ExpressionError("% is for numbers")
        if sign == "*" and not numbers:
            times = a if isinstance(a, int) else b
            if isinstance(times, int) and times > 1 and _size(b if times is a else a) * times > self.limits.size:
                raise ExpressionError(f"a value would have more than {self.limits.size:,} characters and elements")
        return (SUMS | PRODUCTS)[sign](a, b)  # type: ignore[operator]

    def compared(self, node: Node) -> bool:
        """Return whether each comparison of a chain holds; as in Python, those behind the first that fails are left."""
        left = self.value(node.parts[0])
        for sign, part in zip(node.word, node.parts[1:], strict=True):
            right = self.value(part)
            try:
                holds = COMPARISONS[sign](left, right)
            except TypeError as error:
                raise ExpressionError(f"{sign} cannot be computed: {error}") from None
            if not holds:
                return False
            left = right
        return True

    def small(self, value: Any) -> Value:
        """Return a value that is within the limits; ExpressionError for another."""
        if isinstance(value, int):
            if abs(value) >= 10**self.limits.digits:
                raise ExpressionError(f"a number has more than {self.limits.digits} digits")
        elif _size(value) > self.limits.size:
            raise ExpressionError(f"a value has more than {self.limits.size:,} characters and elements")
        return value


def _size(value: Any) -> int:
    """Return the characters of a string, or the elements of a list and of the lists and strings in it."""
    if isinstance(value, str):
        return len(value)
    return sum(1 + _size(v) for v in value) if isinstance(value, list) else 0
