"""The stand-in is a device of the process before any test runs: autograd counts devices at its first backward pass."""

import standin

standin.register()
