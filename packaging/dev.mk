# SPDX-License-Identifier: Apache-2.0
# What a data plane of one's own is built with: lib/vnic.h, the headers that it
# includes, and no more of lib/. libeuropa.a is for this tree alone.
lib_LIBRARIES = libeuropa-vnic.a
libeuropa_vnic_a_SOURCES = \
  lib/base.h \
  lib/region.c lib/region.h \
  lib/vnic.c \
  lib/vnic_layout.c \
  lib/vnic_ring.h \
  lib/vnic_set.c
libeuropa_vnic_a_CFLAGS = $(AM_CFLAGS)

vnicincludedir = $(includedir)/europa/lib
vnicinclude_HEADERS = \
  lib/vnic.h \
  lib/vnic_abi.h \
  lib/vnic_frame.h \
  lib/vnic_layout.h

pkgconfigdir = $(libdir)/pkgconfig
pkgconfig_DATA = packaging/europa-vnic.pc
