# Node comes from npm (see package.json), so that every machine runs the same one.
NODE := node_modules/.bin/node
# npm writes this file last: it is there and newer than the lock file when the packages are as the lock file says.
PACKAGES := node_modules/.package-lock.json

$(PACKAGES): package-lock.json
	npm ci
	@touch $@

.PHONY: test demo cluster cluster-down

## All that CI runs, with what each stage takes.
test: $(PACKAGES)
	@PATH="$(CURDIR)/node_modules/.bin:$$PATH" $(NODE) test/main.ts

## From nothing to an app that runs, and an update of it under requests: make demo [NAME=…] [LEVEL=kwok|node].
demo: $(PACKAGES)
	@$(NODE) --disable-warning=ExperimentalWarning test/demo/main.ts --level '$(LEVEL)' --name '$(NAME)'

## A cluster on this machine: make cluster [LEVEL=control|kwok|node] [NAME=…]. See test/cluster/README.md.
cluster: $(PACKAGES)
	@$(NODE) test/cluster/main.ts up --level '$(LEVEL)' --name '$(NAME)'

## Removes the cluster NAME, or every cluster of this checkout.
cluster-down: $(PACKAGES)
	@$(NODE) test/cluster/main.ts down --name '$(NAME)'
