# Thin aliases of course.py: `make help` lists them. PYTHON=python3.13 chooses the interpreter.
PYTHON ?= python3
.PHONY: help lab check test notebooks reset clean
help lab check test notebooks reset clean:
	@$(PYTHON) course.py $@ $(if $(NB),NB=$(NB)) $(if $(PORT),PORT=$(PORT))
.DEFAULT_GOAL := help
