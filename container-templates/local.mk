# SPDX-License-Identifier: Apache-2.0
# container-templates/: what stands in a router's root file system
noinst_LIBRARIES += container-templates/libinit.a
container_templates_libinit_a_SOURCES = \
  container-templates/init.h \
  container-templates/init_child.c \
  container-templates/init_conf.c \
  container-templates/init_file.c \
  container-templates/init_link.c \
  container-templates/init_log.c \
  container-templates/init_relay.c \
  container-templates/init_service.c \
  container-templates/init_session.c
LIBINIT = container-templates/libinit.a

europalibexec_PROGRAMS += container-templates/europa-init
container_templates_europa_init_SOURCES = container-templates/init.c
container_templates_europa_init_LDADD = $(LIBINIT) $(LIBEUROPA)
# it runs in a root file system that may hold no library at all
if !SANITIZED
container_templates_europa_init_LDFLAGS = $(AM_LDFLAGS) -static
endif

dist_europalibexec_SCRIPTS = container-templates/europa-template

# europa-template finds them beside itself
routertemplatedir = $(europalibexecdir)/templates/router
dist_routertemplate_DATA = \
  container-templates/router/group \
  container-templates/router/hosts \
  container-templates/router/manifest \
  container-templates/router/passwd
birdtemplatedir = $(europalibexecdir)/templates/bird
dist_birdtemplate_DATA = \
  container-templates/bird/again \
  container-templates/bird/bird.conf \
  container-templates/bird/manifest \
  container-templates/bird/service \
  container-templates/bird/twins
linuxtemplatedir = $(europalibexecdir)/templates/linux
dist_linuxtemplate_DATA = \
  container-templates/linux/dataplane \
  container-templates/linux/manifest \
  container-templates/linux/twins
