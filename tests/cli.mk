# SPDX-License-Identifier: Apache-2.0
# tests of cli/: the command line, what it sends and what it prints
if HAVE_CMOCKA
cli_tests = \
  tests/unit/test_cli_args \
  tests/unit/test_cli_doctor \
  tests/unit/test_cli_text
check_PROGRAMS += $(cli_tests)
TESTS += $(cli_tests)

cli_test_cflags = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS)
cli_test_libs = $(CLI_LIBS) $(CMOCKA_LIBS)

tests_unit_test_cli_args_SOURCES = tests/unit/test_cli_args.c
tests_unit_test_cli_args_CFLAGS = $(cli_test_cflags)
tests_unit_test_cli_args_LDADD = $(cli_test_libs)

tests_unit_test_cli_doctor_SOURCES = tests/unit/test_cli_doctor.c
tests_unit_test_cli_doctor_CFLAGS = $(cli_test_cflags)
tests_unit_test_cli_doctor_LDADD = $(cli_test_libs)

tests_unit_test_cli_text_SOURCES = tests/unit/test_cli_text.c
tests_unit_test_cli_text_CFLAGS = $(cli_test_cflags)
tests_unit_test_cli_text_LDADD = $(cli_test_libs)
endif
EXTRA_DIST += tests/system/europactl.bats \
  tests/rest/cli.mjs \
  tests/rest/cli.test.mjs \
  tests/rest/cli_backup.test.mjs \
  tests/rest/cli_rows.test.mjs \
  tests/rest/cli_server.test.mjs
