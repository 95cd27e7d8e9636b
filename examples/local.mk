# SPDX-License-Identifier: Apache-2.0
# examples/: data planes to start from, against lib/vnic.h alone; and pipelines
noinst_PROGRAMS += examples/vnic-echo
examples_vnic_echo_SOURCES = examples/vnic-echo.c
examples_vnic_echo_LDADD = $(LIBEUROPA)

exampledir = $(docdir)/examples
dist_example_DATA = examples/red.lua
