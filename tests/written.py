"""Turns the body of a learner's answer into the function that the exercise asks for."""

import math

import torch


def written(exercise, body):
    """A function with the reference's name and the stub's first line, and this body."""
    head = exercise.stub.strip().splitlines()[0]
    scope = {"torch": torch, "math": math}
    exec(head + "\n" + "\n".join(f"    {line}" for line in body.splitlines()), scope)
    return scope[exercise.name]
