# SPDX-License-Identifier: Apache-2.0
# random operations, and a europad that is killed, beside a model
EXTRA_DIST += \
  tests/model/look.mjs \
  tests/model/model.mjs \
  tests/model/node.mjs \
  tests/model/operations.mjs \
  tests/model/rules.mjs \
  tests/model/run.mjs \
  tests/model/session.mjs \
  tests/system/model.bats \
  tests/rest/crash.test.mjs \
  tests/rest/model.test.mjs

# another seed each time, which is printed, or MODEL_FLAGS='--seed N'
check-long-model: all
	EUROPA_BUILDDIR='$(abs_top_builddir)' \
	  node $(srcdir)/tests/model/run.mjs $(MODEL_FLAGS)
# the same as root, with real containers
check-long-model-lxc: all
	EUROPA_BUILDDIR='$(abs_top_builddir)' \
	  node $(srcdir)/tests/model/run.mjs --containers lxc $(MODEL_FLAGS)
.PHONY: check-long-model check-long-model-lxc
