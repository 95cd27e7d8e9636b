# SPDX-License-Identifier: Apache-2.0
# What is checked beside the unit tests, and the targets that people expect
LINT_FILES = tests/lint/run tests/lint/c.sh tests/lint/text.sh \
  tests/lint/cppcheck.h
INSTALL_TESTS = tests/install/units.sh tests/install/config.sh \
  tests/install/errors.sh
EXTRA_DIST += .clang-format .editorconfig $(LINT_FILES) $(INSTALL_TESTS) \
  tests/lint/selftest.sh \
  tests/install/staged.sh tests/install/files.txt tests/install/dirs.sh.in \
  tests/bats.bash tests/system/run \
  tests/systemd/machine.bash tests/systemd/node.bats tests/systemd/run
TESTS += tests/lint/selftest.sh $(INSTALL_TESTS)

# where configure puts things, for tests of what is installed
tests/install/dirs.sh: tests/install/dirs.sh.in Makefile
	$(AM_V_GEN)$(MKDIR_P) tests/install && $(PACKAGING_SED) \
	  -e 's|@bindir[@]|$(bindir)|g' \
	  -e 's|@share[@]|$(datarootdir)|g' \
	  -e 's|@libexec[@]|$(europalibexecdir)|g' \
	  -e 's|@datadir[@]|$(europadatadir)|g' \
	  -e 's|@docdir[@]|$(docdir)|g' \
	  -e 's|@mandir[@]|$(mandir)|g' \
	  -e 's|@sysctldir[@]|$(sysctldir)|g' \
	  -e 's|@sysusersdir[@]|$(sysusersdir)|g' \
	  -e 's|@tmpfilesdir[@]|$(tmpfilesdir)|g' \
	  -e 's|@unitdir[@]|$(systemdsystemunitdir)|g' \
	  -e 's|@version[@]|$(VERSION)|g' \
	  $(srcdir)/$@.in > $@.tmp && mv $@.tmp $@
noinst_DATA += tests/install/dirs.sh
CLEANFILES += tests/install/dirs.sh

lint:
	$(AM_TESTS_ENVIRONMENT) $(top_srcdir)/tests/lint/run
format:
	cd $(top_srcdir) && find agent api cli container-templates dataplane \
	  examples lib router tests -name '*.[ch]' -exec clang-format -i {} +
# the installed tree: what is there, and that it needs nothing else
check-install: all
	$(AM_TESTS_ENVIRONMENT) $(top_srcdir)/tests/install/staged.sh
# as root, with containers: every promise of the README
check-system: all
	$(AM_TESTS_ENVIRONMENT) $(top_srcdir)/tests/system/run
# as root: the packages, on a Debian with systemd as PID 1
check-systemd: all
	$(AM_TESTS_ENVIRONMENT) $(top_srcdir)/tests/systemd/run
# soaks and fuzzing, minutes to hours; LONG_SECONDS sets how long each takes
check-long: all check-long-protocol check-long-rest check-long-model \
  check-long-model-lxc
.PHONY: lint format check-install check-system check-systemd \
  check-long
