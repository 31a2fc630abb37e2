"""The learner writes standardise: every column of the points gets mean 0 and standard deviation 1."""

import torch

from course_lib.classroom.exercises.probes import random
from course_lib.classroom.exercises.spec import Exercise, Mistake, Probe
from course_lib.datasets import plane

ENTRY = Exercise(
    id="start.standardise",
    reference=plane.standardise,
    probes=lambda: [
        Probe((random(7, 2, seed=1) * torch.tensor([3.0, 0.5], dtype=torch.float64) + 5,)),
        Probe((random(4, 3, seed=2),)),
        Probe((random(5, 1, seed=3) * 2,)),
    ],
    checked="two, three and one columns, of 7, 4 and 5 points, and the gradients.",
    mistakes=(
        Mistake(
            "all_at_once",
            {"points.mean(dim=0)": "points.mean()", "points.std(dim=0)": "points.std()"},
            "one mean and one standard deviation are taken over all numbers together",
            "a column in metres and one in seconds have nothing in common: which axis should the mean run over?",
        ),
        Mistake(
            "one_mean",
            {"points.mean(dim=0)": "points.mean()"},
            "one mean is taken over all numbers together",
            "what is then the mean of every column? dim names the axis that a mean runs over.",
        ),
        Mistake(
            "one_std",
            {"points.std(dim=0)": "points.std()"},
            "one standard deviation is taken over all numbers together",
            "what is then the standard deviation of every column?",
        ),
        Mistake(
            "rows",
            {
                "points.mean(dim=0)": "points.mean(dim=1, keepdim=True)",
                "points.std(dim=0)": "points.std(dim=1, keepdim=True)",
            },
            "every point is standardised, over its coordinates, and not every column",
            "dim names the axis that disappears: the points are on axis 0, the coordinates on axis 1.",
        ),
        Mistake(
            "along_rows",
            {"points.mean(dim=0)": "points.mean(dim=1, keepdim=True)"},
            "the mean is taken within each point, over its coordinates",
            "dim names the axis that disappears: the points are on axis 0, the coordinates on axis 1.",
        ),
        Mistake(
            "not_centred",
            {"(points - points.mean(dim=0))": "points"},
            "the mean is not subtracted",
            "what is the mean of every column of your result?",
        ),
        Mistake(
            "not_scaled",
            {" / points.std(dim=0)": ""},
            "nothing is divided",
            "what is the standard deviation of every column of your result?",
        ),
        Mistake(
            "variance",
            {"points.std(dim=0)": "points.var(dim=0)"},
            "each column is divided by its variance",
            "in which unit is a variance, if the points are in cm?",
        ),
        Mistake(
            "divided_by_n",
            {"points.std(dim=0)": "points.std(dim=0, correction=0)"},
            "the standard deviation divides by n",
            "both are in use; here it is torch's own, points.std(dim=0).",
        ),
    ),
    hints=(
        "What are the mean and the standard deviation of each column of your result? points.mean(dim=0) tells.",
        "points.mean(dim=0) has shape (d,). Subtracted from (n, d), it is used for every row.",
        "(points - points.mean(dim=0)) / points.std(dim=0)",
    ),
    why="Each column has its own unit and so its own mean and spread. Gradient descent has one rate for all "
    "parameters; it suits them all only if the columns are of one size.",
)
