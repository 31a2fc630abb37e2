# Thin aliases of course.py: `make help` lists them. PYTHON=python3.13 chooses the interpreter.
PYTHON ?= python3
COMMANDS := help lab check test test-all test-browser fuzz notebooks site solved mark checks reset clean
.PHONY: $(COMMANDS)
$(COMMANDS):
	@$(PYTHON) course.py $@ $(if $(NB),NB=$(NB)) $(if $(PORT),PORT=$(PORT)) $(if $(AFTER),AFTER=$(AFTER)) $(if $(FILES),'FILES=$(FILES)')
.DEFAULT_GOAL := help
