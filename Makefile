# The commands of this house. `make help` lists them; `make demo` and `make test` are the two that a newcomer needs.
# Pinned versions: stack/install/versions.env. What is downloaded goes into one cache folder, keyed by version:
# CITY_PRESENCE_CACHE, else $XDG_CACHE_HOME/city-presence, else ~/.cache/city-presence.

.DEFAULT_GOAL := help
.PHONY: help which-node deps deps-demo build test test-unit test-real lint tidy format docs demo chaos sim failover model observe-check bench bench-quick bench-operator sbom audit kube-binaries freeze-synapse crds images e2e e2e-up e2e-run e2e-down kind-demo clean clean-cache
# A recipe at a time: what may run side by side does so inside deps.sh, where its messages are kept readable.
.NOTPARALLEL:

INSTALL := stack/install
WITH_NODE := sh $(INSTALL)/with-node.sh
include $(INSTALL)/versions.env

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

which-node: ## print the path of the Node in use (fetched when the machine's is too old)
	@sh $(INSTALL)/node.sh

deps: ## get everything that tests need, once
	@sh $(INSTALL)/deps.sh all

kube-binaries: ## build etcd, kube-apiserver and kubectl for tests, once (deps does it too)
	@sh $(INSTALL)/machine.sh go
	@sh $(INSTALL)/kube.sh

deps-demo:
	@sh $(INSTALL)/deps.sh demo

build: deps-demo ## build the page and the hook
	@$(WITH_NODE) npm run --silent build --workspace web

test: deps build ## run every test; the last line says how many passed and failed
	@$(WITH_NODE) vitest run --project unit --project real

test-unit: deps-demo ## run the tests that need no server
	@$(WITH_NODE) vitest run --project unit

test-real: deps build ## run the tests on real servers
	@$(WITH_NODE) vitest run --project real

lint: deps-demo ## check types, rules, form and dead code
	@$(WITH_NODE) npm run --silent lint

tidy: lint ## the same as lint

format: deps-demo ## write every file in the house's form
	@$(WITH_NODE) npm run --silent format

docs: deps-demo ## print the pages that come from code
	@$(WITH_NODE) node house/generated-pages.ts

crds: deps-demo ## print the CustomResourceDefinition from its fields (docs does it too)
	@$(WITH_NODE) node operator/src/print-crd.ts

demo: deps-demo build ## start a living city and print its address; Ctrl-C ends it (LEADERS=2: who leads may be killed; OBSERVE=1: Prometheus looks on)
	@[ -z "$(OBSERVE)" ] || sh $(INSTALL)/prometheus.sh
	@$(WITH_NODE) node stack/src/demo/main.ts

chaos: deps-demo ## play every fault on real processes (FAULTS="F12 F15a" plays some); takes half an hour
	@$(WITH_NODE) node chaos/src/main.ts $(FAULTS)

sim: deps-demo ## simulated cities, one a seed (SEEDS=5000 SEED_FROM=1000 plays more than the 300 of the tests)
	@$(WITH_NODE) node sim/src/city/main.ts

failover: deps build ## time a failover to the frame in a browser (WAYS="SIGTERM SIGKILL SIGSTOP" ROOMS=12 CYCLES=50 STANDBY=follows)
	@$(WITH_NODE) node aggregator/src/testing/measure-failover.ts

model: ## have Spin walk every order of events of the protocol (KEEP=1 writes what it explored into docs/)
	@sh $(INSTALL)/deps.sh model
	@KEEP=$(KEEP) $(WITH_NODE) node sim/fence/main.ts

observe-check: deps build ## play every alert, and ask a real Prometheus every query of the dashboards against a living city
	@$(WITH_NODE) vitest run --project real sight

sbom: deps-demo ## write sbom.cdx.json: every npm package that the services stand on (CycloneDX)
	@$(WITH_NODE) npm sbom --sbom-format cyclonedx --workspace aggregator --workspace gateway --workspace operator > sbom.cdx.json
	@echo 'sbom.cdx.json'

audit: deps-demo ## ask the registry for known weaknesses in what the services stand on; fails on high ones
	@$(WITH_NODE) npm audit --audit-level=high --omit=dev

images: build ## build the images of the services (SERVICES=gateway, BASE=…, BUILDER=docker|podman|buildah, TAG=…)
	@sh $(INSTALL)/images.sh $(SERVICES)

e2e: e2e-up ## run the suite on a real cluster (E2E_KUBECONFIG: yours; else a kind cluster is made for it and deleted again)
	@status=0; $(MAKE) --no-print-directory e2e-run || status=$$?; sh $(INSTALL)/e2e-down.sh; exit $$status

e2e-up: build ## a kind cluster of three nodes with our images on them, for e2e-run and kind-demo
	@sh $(INSTALL)/machine.sh chromium
	@sh $(INSTALL)/e2e-up.sh

e2e-run: deps-demo ## the suite alone, on the cluster of e2e-up or of KUBECONFIG (FILES=02 plays some; KEEP=1 writes docs/cluster.json)
	@rm -rf test-results/e2e
	@$(WITH_NODE) vitest run --project e2e $(FILES)
	@[ -z "$(KEEP)" ] || $(WITH_NODE) node k8s-e2e/src/keep/main.ts

e2e-down: ## delete the kind cluster, and stop the docker daemon if e2e-up started it
	@sh $(INSTALL)/e2e-down.sh

kind-demo: e2e-up ## a city on a real cluster on this machine, from nothing; prints its address, Ctrl-C ends the people, make e2e-down the cluster
	@$(WITH_NODE) node k8s-e2e/src/demo/main.ts

bench: deps build ## measure the city beside its peers and floors, half an hour on a quiet machine (ROWS="P1 P4" plays some); writes docs/PERFORMANCE.md
	@$(WITH_NODE) node bench/src/main.ts $(ROWS); code=$$?; $(WITH_NODE) node house/generated-pages.ts; exit $$code

bench-quick: deps-demo build ## guard the ratios of the benchmark, in five minutes
	@$(WITH_NODE) node bench/src/main.ts quick $(ROWS)

bench-operator: deps-demo kube-binaries ## measure the operator on a real kube-apiserver (CITIES='1 100 1000' IDLE_MINUTES=10)
	@$(WITH_NODE) node bench/src/operator/main.ts

freeze-synapse: ## write down the Python packages a new SYNAPSE_VERSION brings
	@sh $(INSTALL)/freeze-synapse.sh

clean: ## remove what was built here (not the cache)
	@rm -rf web/dist coverage test-results node_modules

clean-cache: ## remove the downloads and fixtures of all versions
	@rm -rf "$${CITY_PRESENCE_CACHE:-$${XDG_CACHE_HOME:-$$HOME/.cache}/city-presence}"
